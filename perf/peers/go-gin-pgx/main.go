// The same API as a plain Gin + pgx service: a pool, prepared statements (pgx's default), input
// bound and validated by Gin, release mode, no logger. The list comes as finished bytes from
// Redis through go-redis. The PG… variables are libpq's.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

// instant is a time with milliseconds, in the format of all servers here.
type instant time.Time

func (i instant) MarshalJSON() ([]byte, error) {
	return time.Time(i).UTC().AppendFormat(make([]byte, 0, 32), `"2006-01-02T15:04:05.000Z"`), nil
}

type task struct {
	ID          int64   `json:"id"`
	Title       string  `json:"title"`
	Description string  `json:"description"`
	Status      string  `json:"status"`
	AssigneeID  int64   `json:"assigneeID"`
	CreatedAt   instant `json:"createdAt"`
	UpdatedAt   instant `json:"updatedAt"`
}

type draft struct {
	Title       string `json:"title" binding:"required,max=255"`
	Description string `json:"description" binding:"max=16384"`
	Status      string `json:"status" binding:"omitempty,oneof=pending in_progress completed done canceled"`
	AssigneeID  int64  `json:"assigneeID" binding:"min=0"`
}

type change struct {
	Title       *string `json:"title" binding:"omitempty,min=1,max=255"`
	Description *string `json:"description" binding:"omitempty,max=16384"`
	Status      *string `json:"status" binding:"omitempty,oneof=pending in_progress completed done canceled"`
	AssigneeID  *int64  `json:"assigneeID" binding:"omitempty,min=0"`
}

type fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type meta struct {
	Page       int `json:"page"`
	PerPage    int `json:"per_page"`
	Total      int `json:"total"`
	TotalPages int `json:"total_pages"`
}

type envelope struct {
	Data    any     `json:"data"`
	Meta    *meta   `json:"meta"`
	Message string  `json:"message"`
	Errors  []fault `json:"errors"`
	Status  string  `json:"status"`
}

const columns = "id, title, description, status, assignee_id, created_at, updated_at"

type service struct {
	pool  *pgxpool.Pool
	redis *redis.Client
	table string
	ttl   time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	config, err := pgxpool.ParseConfig("")
	exitOn(err)
	config.MaxConns = int32(number("POOL_MAX", 10))
	pool, err := pgxpool.NewWithConfig(ctx, config)
	exitOn(err)
	defer pool.Close()

	s := &service{pool: pool, table: text("TABLE", "tasks"), ttl: time.Duration(number("TTL_SECONDS", 600)) * time.Second}
	if socket := os.Getenv("REDIS_SOCKET"); socket != "" {
		s.redis = redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
		defer s.redis.Close()
	}

	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery())
	router.GET("/api/tasks", s.list)
	router.GET("/api/tasks/:id", s.get)
	router.POST("/api/tasks", s.create)
	router.PUT("/api/tasks/:id", s.update)
	router.DELETE("/api/tasks/:id", s.remove)

	listener, err := net.Listen("tcp", "127.0.0.1:"+text("PORT", "0"))
	exitOn(err)
	server := &http.Server{Handler: router}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	fmt.Printf("{\"message\":\"listening\",\"url\":\"http://%s\"}\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		exitOn(err)
	}
}

func (s *service) get(c *gin.Context) {
	id, ok := idOf(c)
	if !ok {
		return
	}
	row := s.pool.QueryRow(c, "SELECT "+columns+" FROM "+s.table+" WHERE id = $1", id)
	s.answer(c, http.StatusOK, row)
}

func (s *service) create(c *gin.Context) {
	var body draft
	if err := c.ShouldBindJSON(&body); err != nil {
		fail(c, http.StatusBadRequest, "invalid", err.Error())
		return
	}
	if body.Status == "" {
		body.Status = "pending"
	}
	row := s.pool.QueryRow(c, "INSERT INTO "+s.table+" (title, description, status, assignee_id)"+
		" VALUES ($1, $2, $3, $4) RETURNING "+columns,
		body.Title, body.Description, body.Status, body.AssigneeID)
	s.answer(c, http.StatusCreated, row)
}

func (s *service) update(c *gin.Context) {
	id, ok := idOf(c)
	if !ok {
		return
	}
	var body change
	if err := c.ShouldBindJSON(&body); err != nil {
		fail(c, http.StatusBadRequest, "invalid", err.Error())
		return
	}
	row := s.pool.QueryRow(c, "UPDATE "+s.table+" SET title = coalesce($2, title),"+
		" description = coalesce($3, description), status = coalesce($4, status),"+
		" assignee_id = coalesce($5, assignee_id), version = version + 1, updated_at = now()"+
		" WHERE id = $1 RETURNING "+columns,
		id, body.Title, body.Description, body.Status, body.AssigneeID)
	s.answer(c, http.StatusOK, row)
}

func (s *service) remove(c *gin.Context) {
	id, ok := idOf(c)
	if !ok {
		return
	}
	tag, err := s.pool.Exec(c, "DELETE FROM "+s.table+" WHERE id = $1", id)
	switch {
	case err != nil:
		fail(c, http.StatusInternalServerError, "internal", "Sorry.")
	case tag.RowsAffected() == 0:
		fail(c, http.StatusNotFound, "not_found", "There is no such task.")
	default:
		c.Status(http.StatusNoContent)
	}
}

func (s *service) list(c *gin.Context) {
	page, err := strconv.Atoi(c.DefaultQuery("page", "1"))
	perPage, perPageErr := strconv.Atoi(c.DefaultQuery("per_page", "20"))
	if err != nil || perPageErr != nil || page < 1 || perPage < 1 || perPage > 100 {
		fail(c, http.StatusBadRequest, "invalid", "page or per_page is not valid")
		return
	}
	bytes, err := s.cachedList(c, page, perPage)
	if err != nil {
		fail(c, http.StatusInternalServerError, "internal", "Sorry.")
		return
	}
	c.Data(http.StatusOK, "application/json; charset=utf-8", bytes)
}

func (s *service) cachedList(ctx context.Context, page, perPage int) ([]byte, error) {
	if s.redis == nil {
		return s.readList(ctx, page, perPage)
	}
	key := fmt.Sprintf("tasks:%d:%d", page, perPage)
	bytes, err := s.redis.Get(ctx, key).Bytes()
	if err == nil || !errors.Is(err, redis.Nil) {
		return bytes, err
	}
	if bytes, err = s.readList(ctx, page, perPage); err != nil {
		return nil, err
	}
	return bytes, s.redis.Set(ctx, key, bytes, s.ttl).Err()
}

func (s *service) readList(ctx context.Context, page, perPage int) ([]byte, error) {
	m := meta{Page: page, PerPage: perPage}
	if err := s.pool.QueryRow(ctx, "SELECT count(*) FROM "+s.table).Scan(&m.Total); err != nil {
		return nil, err
	}
	m.TotalPages = (m.Total + perPage - 1) / perPage
	rows, err := s.pool.Query(ctx, "SELECT "+columns+" FROM "+s.table+" ORDER BY id LIMIT $1 OFFSET $2", perPage, (page-1)*perPage)
	if err != nil {
		return nil, err
	}
	tasks, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (task, error) { return scan(row) })
	if err != nil {
		return nil, err
	}
	return json.Marshal(success(tasks, &m))
}

func (s *service) answer(c *gin.Context, status int, row pgx.Row) {
	found, err := scan(row)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		fail(c, http.StatusNotFound, "not_found", "There is no such task.")
	case err != nil:
		fail(c, http.StatusInternalServerError, "internal", "Sorry.")
	default:
		if status == http.StatusCreated {
			c.Header("Location", "/api/tasks/"+strconv.FormatInt(found.ID, 10))
		}
		c.JSON(status, success(found, nil))
	}
}

func scan(row pgx.Row) (task, error) {
	var t task
	var createdAt, updatedAt time.Time
	err := row.Scan(&t.ID, &t.Title, &t.Description, &t.Status, &t.AssigneeID, &createdAt, &updatedAt)
	t.CreatedAt, t.UpdatedAt = instant(createdAt), instant(updatedAt)
	return t, err
}

func idOf(c *gin.Context) (int64, bool) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil || id < 1 {
		fail(c, http.StatusBadRequest, "invalid", "id must be a whole number above 0")
		return 0, false
	}
	return id, true
}

func success(data any, m *meta) envelope {
	return envelope{Data: data, Meta: m, Message: "success", Errors: []fault{}, Status: "ok"}
}

func fail(c *gin.Context, status int, code, message string) {
	c.JSON(status, envelope{Message: message, Errors: []fault{{code, message}}, Status: "fail"})
}

func text(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

func number(name string, fallback int) int {
	value, err := strconv.Atoi(text(name, strconv.Itoa(fallback)))
	exitOn(err)
	return value
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

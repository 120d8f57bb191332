-- The requests that perf/load/wrk/run.ts has written, one after the other. Says when it begins, and at
-- the end what it counted, as JSON.

local requests = {}
local place = 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local text = file:read("*a")
  file:close()
  local at = 1
  while at <= #text do
    local length = tonumber(text:sub(at, at + 5))
    requests[#requests + 1] = text:sub(at + 6, at + 5 + length)
    at = at + 6 + length
  end
  io.stdout:write("began\n")
  io.stdout:flush()
end

function request()
  place = place % #requests + 1
  return requests[place]
end

function done(summary, latency)
  local errors = summary.errors
  io.stdout:write(string.format(
    '\nresult {"requests":%d,"microseconds":%d,"failed":%d,"p50":%d,"p90":%d,"p99":%d,"p999":%d,"p9999":%d,"max":%d}\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99),
    latency:percentile(99.9), latency:percentile(99.99), latency.max))
  io.stdout:flush()
  -- The parent process reads this process's CPU time before it ends.
  io.stdin:read("*a")
end

/** The state of a front end between its start and its end. Plain fields: each request reads them. */
export interface Phase {
  /** The schema is up to date: requests may go to the database. */
  isOpen: boolean;
  /** It still serves, and `/readyz` answers 503. */
  isDraining: boolean;
  /** Each response closes its connection. */
  isClosing: boolean;
}

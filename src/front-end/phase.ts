/** How far a front end has come. Requests look at it, so it is nothing but fields. */
export interface Phase {
  /** The schema is up to date: requests may go to the database. */
  isOpen: boolean;
  /** It serves as before, and says that it is not ready. */
  isDraining: boolean;
  /** Each connection ends with its next answer. */
  isClosing: boolean;
}

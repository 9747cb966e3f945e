/**
 * The table's turn: a snapshot's walk and the merging of what other trackers heard exclude each other (rule D-J5),
 * for a snapshot has to be able to say exactly whose segments it holds. Announces need no turn.
 */
export class TableTurn {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the work once all that asked before has ended; settles as the work does. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

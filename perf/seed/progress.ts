/** Shows progress: one updated line on a terminal, otherwise a line at intervals. */
export interface Progress {
  show(text: string): void;
  end(): void;
}

const quietMs = 5000;

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let shownAt = Number.NEGATIVE_INFINITY;
  let lineIsOpen = false;
  return {
    show(text) {
      if (stream.isTTY) {
        stream.write(`\r\u001b[K${text}`);
        lineIsOpen = true;
      } else if (performance.now() - shownAt >= quietMs) {
        shownAt = performance.now();
        stream.write(`${text}\n`);
      }
    },
    end() {
      if (lineIsOpen) stream.write('\n');
      lineIsOpen = false;
    },
  };
}

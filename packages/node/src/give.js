// What an event reads from a stream: a Readable, a web ReadableStream, or whatever iterates asynchronously.

const isWeb = (value) => typeof value?.getReader === 'function';

export const isStream = (value) => isWeb(value) || typeof value?.[Symbol.asyncIterator] === 'function';

/** Chunk after chunk, each when it is asked for. Who has it has the stream: it is read to its end, or left. */
export class Source {
  #next;
  #leave;
  #over = false;

  constructor(stream) {
    if (isWeb(stream)) {
      const reader = stream.getReader();
      this.#next = () => reader.read();
      this.#leave = () => reader.cancel();
      return;
    }
    const iterator = stream[Symbol.asyncIterator]();
    this.#next = () => iterator.next();
    this.#leave = () => {
      if (typeof stream.destroy === 'function') stream.destroy(); // a generator that waits for a Readable ends with it, and not before
      return iterator.return?.();
    };
  }

  /** The next chunk, as iterators give it. */
  async next() {
    if (this.#over) return { done: true, value: undefined };
    try {
      const step = await this.#next();
      if (!this.#over && !step.done) return step;
    } catch (problem) {
      this.#over = true;
      throw problem;
    }
    this.#over = true;
    return { done: true, value: undefined };
  }

  /** Before its end. Whether whoever makes it goes on is not waited for. */
  leave() {
    if (this.#over) return;
    this.#over = true;
    (async () => this.#leave())().catch(() => {});
  }
}

/** Gives an event all of it, or as much as it reads: a chunk is asked for when the program's pipe has taken the one before. */
export async function pour(source, event) {
  for (let step = await source.next(); !step.done; step = await source.next()) {
    if (step.value?.length !== 0 && !(await event.write(step.value))) return;
  }
  await event.write('', { end: true });
}

// What the two drivers have in common. A command comes as a line of JSON, {"id":..,"do":..,...}; its answer goes as a line, {"id":..,"ok":..} or
// {"id":..,"error":{code,message,data}}, when it is there: a command does not wait for the one before it.
import readline from 'node:readline';

const CODES = /^(MCP error -?\d+: )+/; // sdk 1.x writes the code before the text, and each who passes an error on does so again

const known = (error) => ({ code: error?.code ?? null, message: String(error?.message ?? error).replace(CODES, ''), ...(error?.data !== undefined && { data: error.data }) });

// The answers that the script has for one kind of question: each is taken once, and the last for all that follow.
class Answers {
  constructor(given = {}) {
    this.given = given;
    this.asked = [];
  }

  async next(kind, params, signal) {
    this.asked.push({ kind, params });
    const list = this.given[kind] ?? [];
    const answer = list.length > 1 ? list.shift() : list[0];
    if (answer === undefined)
      throw Object.assign(new Error(`the script has no answer for ${kind}`), { code: -32603 });
    if (answer.after !== undefined)
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, answer.after);
        signal?.addEventListener('abort', () => clearTimeout(timer) ?? resolve());
      });
    if (answer.error !== undefined)
      throw Object.assign(new Error(answer.error.message), answer.error);
    return answer.result;
  }
}

// What is kept of a connection, whichever client has it.
export class Seen {
  constructor({ answers } = {}) {
    this.answers = new Answers(answers);
    this.notifications = [];
    this.errors = [];
    this.stderr = '';
    this.closed = false;
  }

  watch(client, transport) {
    client.onerror = (error) => this.errors.push(String(error?.message ?? error));
    client.onclose = () => {
      this.closed = true;
    };
    client.fallbackNotificationHandler = async ({ method, params }) => {
      this.notifications.push({ method, ...(params !== undefined && { params }) });
    };
    transport.stderr?.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
  }

  // What came since it was asked for last, but for stderr, which is all.
  take() {
    const { notifications, errors, stderr, closed } = this, asked = this.answers.asked;
    Object.assign(this, { notifications: [], errors: [] });
    this.answers.asked = [];
    return { notifications, errors, asked, stderr, closed };
  }
}

// The options of a request: {timeout, total, reset, abort (after ms), progress (to be collected)}, and what has been collected.
export function options({ timeout, total, reset, abort, progress }) {
  const collected = [];
  const given = { ...(timeout !== undefined && { timeout }), ...(total !== undefined && { maxTotalTimeout: total }), ...(reset !== undefined && { resetTimeoutOnProgress: reset }),
    ...(abort !== undefined && { signal: AbortSignal.timeout(abort) }), ...(progress && { onprogress: (at) => collected.push(at) }) };
  return [given, collected];
}

export const params = (from, ...names) => Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));

// Does what comes on standard input until it ends, or "exit" comes; `commands` has a function for each word.
export function drive(commands) {
  const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const { id, do: word, ...rest } = JSON.parse(line);
    try {
      if (!Object.hasOwn(commands, word))
        throw new Error(`no such command: ${word}`);
      say({ id, ok: (await commands[word](rest)) ?? null });
    } catch (error) {
      say({ id, error: known(error) });
    }
  });
  // Stores of tasks keep timers: it would live for as long as they do.
  lines.on('close', async () => {
    try {
      await commands.close?.({});
    } catch {}
    process.exit(0);
  });
}

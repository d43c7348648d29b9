// A client of the language server protocol over the standard streams of a process. It knows nothing of VS Code.
"use strict";

const { spawn } = require("child_process");

class Client {
  /** `told(method, params)` gets what the server says unasked, `ended(reason)` that it has ended by itself. */
  constructor(command, folder, told, ended) {
    this.told = told;
    this.waiting = new Map();
    this.number = 0;
    this.bytes = Buffer.alloc(0);
    this.stopped = false;
    this.process = spawn(command[0], command.slice(1), { cwd: folder, stdio: ["pipe", "pipe", "pipe"] });
    this.errors = "";
    this.process.stderr.on("data", (data) => (this.errors = (this.errors + data).slice(-4000)));
    this.process.stdout.on("data", (data) => this.read(data));
    this.process.stdin.on("error", () => {});
    const end = (reason) => {
      for (const { reject } of this.waiting.values()) reject(new Error(reason));
      this.waiting.clear();
      if (!this.stopped) ended(`${reason} ${this.errors}`.trim());
      this.stopped = true;
    };
    this.process.on("error", (error) => end(error.message));
    this.process.on("exit", (status) => end(`the language server has ended with status ${status}.`));
  }

  read(data) {
    this.bytes = Buffer.concat([this.bytes, data]);
    for (;;) {
      const head = this.bytes.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(this.bytes.toString("ascii", 0, head))[1]);
      if (this.bytes.length < head + 4 + length) return;
      const message = JSON.parse(this.bytes.toString("utf8", head + 4, head + 4 + length));
      this.bytes = this.bytes.subarray(head + 4 + length);
      this.take(message);
    }
  }

  take(message) {
    if (message.method !== undefined) {
      if (message.id !== undefined) this.send({ id: message.id, result: null });
      this.told(message.method, message.params);
      return;
    }
    const asked = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (asked === undefined) return;
    if (message.error) asked.reject(new Error(message.error.message));
    else asked.resolve(message.result);
  }

  send(message) {
    if (this.stopped) return;
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
    this.process.stdin.write(Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]));
  }

  notify(method, params) {
    this.send({ method, params });
  }

  request(method, params) {
    if (this.stopped) return Promise.reject(new Error("the language server does not run."));
    const id = ++this.number;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send({ id, method, params });
    });
  }

  async stop() {
    if (this.stopped) return;
    await this.request("shutdown", null).catch(() => {});
    this.stopped = true;
    const body = '{"jsonrpc": "2.0", "method": "exit"}';
    this.process.stdin.end(`Content-Length: ${body.length}\r\n\r\n${body}`);
  }
}

module.exports = { Client };

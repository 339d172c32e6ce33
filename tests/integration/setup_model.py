"""A model that wants one command run, and says that it is done when it has been: for Claude Code (messages) and Codex (responses), on this machine.

    with Model("hostname") as model: ... model.url ... model.heard()"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def events(rows):
    return "".join(f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n" for kind, data in rows).encode()


def message(asked, command):
    """Of Anthropic's API. Side questions, without a shell among the tools, get a word."""
    shell = any(t.get("name") == "Bash" for t in asked.get("tools", []))
    usage = {"input_tokens": 1, "output_tokens": 1}
    if not shell or '"tool_result"' in json.dumps(asked.get("messages")):
        block, delta, stop = {"type": "text", "text": ""}, {"type": "text_delta", "text": "done"}, "end_turn"
    else:
        block, stop = {"type": "tool_use", "id": "toolu_01", "name": "Bash", "input": {}}, "tool_use"
        delta = {"type": "input_json_delta", "partial_json": json.dumps({"command": command, "description": "asked"})}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked.get("model"), "content": [], "stop_reason": None, "usage": usage}
    if not asked.get("stream"):
        return "application/json", json.dumps({**head, "content": [{"type": "text", "text": "done"}], "stop_reason": "end_turn"}).encode()
    return "text/event-stream", events([("message_start", {"message": head}), ("content_block_start", {"index": 0, "content_block": block}),
                                        ("content_block_delta", {"index": 0, "delta": delta}), ("content_block_stop", {"index": 0}),
                                        ("message_delta", {"delta": {"stop_reason": stop}, "usage": {"output_tokens": 1}}), ("message_stop", {})])


def response(asked, command):
    """Of OpenAI's."""
    usage = {"input_tokens": 1, "input_tokens_details": None, "output_tokens": 1, "output_tokens_details": None, "total_tokens": 2}
    if "_call_output" in json.dumps(asked.get("input")):
        item = {"type": "message", "id": "m1", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]}
    else:
        names = [t.get("name") for t in asked.get("tools", [])]
        name, arguments = ("exec_command", {"cmd": command}) if "exec_command" in names else ("shell_command", {"command": command}) if "shell_command" in names else (
            "shell", {"command": ["bash", "-lc", command]})
        item = {"type": "function_call", "id": "f1", "call_id": "c1", "name": name, "arguments": json.dumps(arguments)}
    return "text/event-stream", events([("response.created", {"response": {"id": "r1"}}), ("response.output_item.done", {"output_index": 0, "item": item}),
                                        ("response.completed", {"response": {"id": "r1", "usage": usage}})])


class Model:
    def __init__(self, command):
        self.command, self.said = command, []
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, kind, body):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                self.answer(404, "application/json", b"{}")

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    asked = json.loads(body)
                except ValueError:
                    asked = {}
                model.said.append(json.dumps(asked))
                make = message if self.path.startswith("/v1/messages") else response if "responses" in self.path else None
                self.answer(200, *(make(asked, model.command) if make else ("application/json", b"{}")))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def begin(self):
        self.said.clear()

    def heard(self):
        return "\n".join(self.said)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

// A backend of WebSocket clients that knows plain HTTP alone, and nothing but
// what is in Node.js.
//
//   node examples/http-backend/app.mjs
//   stagedoor dev http://localhost:8000
//   stagedoor connect ws://localhost:8080/ -x hello -x push

import { createServer } from "node:http";

const port = Number(process.env.PORT ?? 8000);
const gateway = process.env.GATEWAY ?? "http://127.0.0.1:8080";

const server = createServer(async (request, response) => {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part;
  const event = request.headers["x-stagedoor-event"]; // connect, message or disconnect
  const client = request.headers["x-connection-id"];
  if (event === "message" && text === "push") await push(client, "pushed to you");
  response.end(event === "message" ? `you said ${text}` : "");
});

/** Sends a text to a client: from anywhere, at any time. */
async function push(client, text) {
  const answer = await fetch(`${gateway}/@connections/${client}`, { method: "POST", body: text });
  if (!answer.ok) console.error(`${client}: ${answer.status}`); // 410: the client has gone
}

server.listen(port, "127.0.0.1", () => console.log(`waits on port ${port}`));

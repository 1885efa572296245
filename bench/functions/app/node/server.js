// A bare HTTP server that runs the handlers: what Node.js can do without a
// gateway, in one process or in as many as WORKERS says.
'use strict';

const cluster = require('node:cluster');
const http = require('node:http');
const handlers = require('./index.js');

const [host, port] = process.env.LISTEN.split(':');
const server = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const answer = await handlers[request.url.slice(1)]({ body: Buffer.concat(chunks).toString() });
    response.setHeader('Content-Length', Buffer.byteLength(answer.body));
    response.end(answer.body);
  });
});
if (cluster.isPrimary && Number(process.env.WORKERS) > 1) {
  for (let n = 0; n < Number(process.env.WORKERS); n++) cluster.fork();
} else {
  server.listen(Number(port), host);
}

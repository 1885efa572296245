// The connection to the gateway: frames, each with a head of lines and a body.
// internal/lambda/channel.go describes them. It keeps what it needs of Node.js
// to itself, so that a function which patches a module can't break it.
'use strict';

const net = require('node:net');

const { allocUnsafe, byteLength, concat, from } = Buffer;
const later = setImmediate;
const room = allocUnsafe(64 << 10); // what is read comes here first
const descriptor = Number(process.argv.splice(2, 1)[0]); // 0: there is none to inherit

let parts = []; // of a frame that has not come whole
let gathered = 0; // bytes in them
let wanted = 8; // bytes of the frame that comes, as far as they are known
let receive; // who waits for an event

const onread = { buffer: room, callback: read };
let socket;
if (descriptor) {
  socket = new net.Socket({ fd: descriptor, readable: true, writable: true, onread });
} else {
  const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
  socket = net.connect({ host, port: Number(port), onread, noDelay: true });
  socket.write(from([0])); // what no request of HTTP begins with
}
socket.unref();
socket.on('error', gone);
socket.on('end', gone);
socket.on('close', gone);
const write = socket.write.bind(socket);
const ref = socket.ref.bind(socket);
const unref = socket.unref.bind(socket);
const exit = process.exit.bind(process);

function gone() {
  exit(1); // the gateway is gone, or has no use for this process
}

function read(count, buffer) {
  if (gathered === 0 && count >= 8 && size(buffer) === count) {
    event(buffer, count);
    return true;
  }
  parts.push(from(buffer.subarray(0, count)));
  gathered += count;
  if (gathered < wanted) return true;
  let frame = concat(parts);
  parts = [frame];
  wanted = frame.length < 8 ? 8 : size(frame);
  if (gathered < wanted) return true;
  parts = [];
  gathered = 0;
  wanted = 8;
  event(frame, frame.length);
  return true;
}

function size(frame) {
  return 8 + frame.readUInt32BE(0) + frame.readUInt32BE(4);
}

function event(frame, end) {
  const head = 8 + frame.readUInt32BE(0);
  const [id, deadline, arn, trace, client] = frame.utf8Slice(8, head).split('\n');
  const to = receive;
  receive = undefined;
  unref(); // a function with nothing left to do is at its end, whatever may come here
  to({ id, deadline: Number(deadline), arn, trace, client, text: frame.utf8Slice(head, end) });
}

function send(head, body, done) {
  const headLength = byteLength(head);
  const bodyLength = byteLength(body);
  const frame = allocUnsafe(8 + headLength + bodyLength);
  frame.writeUInt32BE(headLength, 0);
  frame.writeUInt32BE(bodyLength, 4);
  frame.utf8Write(head, 8, headLength);
  frame.utf8Write(body, 8 + headLength, bodyLength);
  write(frame, done);
}

const nextFrame = from('\0\0\0\x04\0\0\0\0next', 'latin1');

function ask() {
  ref();
  write(nextFrame);
}

// next asks for an event, which received gets. It waits until what the function
// left for this turn of the event loop has run: a process that ends in it, or
// never leaves it, gets no event.
exports.next = (received) => {
  receive = received;
  later(ask);
};

// respond sends the JSON of an answer.
exports.respond = (id, text) => send(`response\n${id}`, text);

// fail sends the description of the error that an event ended with.
exports.fail = (id, description, done) => send(`error\n${id}\n${line(description.errorType)}`, JSON.stringify(description), done);

// failInit sends why the function can't be run.
exports.failInit = (description, done) => send(`init\n\n${line(description.errorType)}`, JSON.stringify(description), done);

function line(text) {
  return text.slice(0, 200).replace(/[\r\n]/g, ' ');
}

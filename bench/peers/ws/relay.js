"use strict"

// Every message of a client is a POST request to the backend, whose answer goes
// back to the client.

const http = require("node:http")
const { WebSocketServer } = require("ws")

const [host, port] = process.env.LISTEN.split(":")
const agent = new http.Agent({ keepAlive: true })

// call answers with what the backend answers.
const call = (message) =>
  new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": message.length }
    const request = http.request(process.env.BACKEND, { method: "POST", agent, headers }, (response) => {
      const chunks = []
      response.on("data", (chunk) => chunks.push(chunk))
      response.on("end", () => resolve(Buffer.concat(chunks)))
      response.on("error", reject)
    })
    request.on("error", reject)
    request.end(message)
  })

const server = new WebSocketServer({ host, port: Number(port) })

server.on("connection", (socket) => {
  socket.on("error", () => socket.terminate())
  socket.on("message", async (message) => {
    try {
      socket.send(await call(message), { binary: false })
    } catch {
      socket.close(1011)
    }
  })
})

"use strict"

const http = require("node:http")

const agent = new http.Agent({ keepAlive: true })

// connection accepts connections.
exports.connection = async () => ({ statusCode: 200 })

// echo answers a message with itself.
exports.echo = async (event) => ({ statusCode: 200, body: event.body })

// call answers with what the backend answers.
exports.call = (event) =>
  new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(event.body) }
    const request = http.request(process.env.BACKEND, { method: "POST", agent, headers }, (response) => {
      const chunks = []
      response.on("data", (chunk) => chunks.push(chunk))
      response.on("end", () => resolve({ statusCode: response.statusCode, body: Buffer.concat(chunks).toString() }))
      response.on("error", reject)
    })
    request.on("error", reject)
    request.end(event.body)
  })

"use strict"

const { createHash } = require("node:crypto")
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

const zeros = Buffer.alloc(1 << 20)

// compute needs a processor for a few milliseconds.
exports.compute = async (event) => {
  createHash("sha256").update(zeros).digest()
  return { statusCode: 200, body: event.body }
}

exports.wait = async (event) => {
  await new Promise((resolve) => setTimeout(resolve, 50))
  return { statusCode: 200, body: event.body }
}

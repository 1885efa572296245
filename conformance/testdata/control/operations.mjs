// Calls the control plane with the AWS SDK for JavaScript, an operation for
// each line of standard input, and prints a line with the outcome of each.
//
//   node operations.mjs ENDPOINT
//
// A line in is {"operation":"CreateApi","input":{…}}, a line out
// {"output":{…}} or {"status":404,"error":"NotFoundException"}. The
// credentials are those of the environment.
import { createInterface } from "node:readline";
import * as sdk from "@aws-sdk/client-apigatewayv2";

const client = new sdk.ApiGatewayV2Client({ endpoint: process.argv[2], maxAttempts: 1 });

async function outcome({ operation, input }) {
  try {
    const { $metadata, ...output } = await client.send(new sdk[`${operation}Command`](input));
    return { output };
  } catch (error) {
    if (!error.$metadata) throw error; // no answer at all
    return { status: error.$metadata.httpStatusCode, error: error.name };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await outcome(JSON.parse(line))));
}
client.destroy();

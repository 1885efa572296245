"use strict";

const { DynamoDB } = require("@aws-sdk/client-dynamodb");
const { postTo } = require("./management");

const TableName = process.env.TABLE;
const database = new DynamoDB();
const keyOf = (connectionId) => ({ connectionId: { S: connectionId } });

const routes = {
  async $connect({ requestContext, queryStringParameters }) {
    const name = (queryStringParameters || {}).name || "someone";
    await database.putItem({ TableName, Item: { ...keyOf(requestContext.connectionId), name: { S: name } } });
    return { statusCode: 200 };
  },

  async $disconnect({ requestContext: { connectionId, domainName, stage } }) {
    const { Attributes } = await database.deleteItem({ TableName, Key: keyOf(connectionId), ReturnValues: "ALL_OLD" });
    // Whoever found the connection gone before us has removed it.
    if (Attributes) await broadcast(`https://${domainName}/${stage}`, { left: Attributes.name.S });
    return { statusCode: 200 };
  },

  async publish({ body, requestContext: { apiId, stage, connectionId } }) {
    const { Item } = await database.getItem({ TableName, Key: keyOf(connectionId) });
    const endpoint = `https://${apiId}.execute-api.${process.env.AWS_REGION}.amazonaws.com/${stage}`;
    const counts = await broadcast(endpoint, { from: Item.name.S, text: JSON.parse(body).text });
    return { statusCode: 200, body: JSON.stringify(counts) };
  },
};

async function broadcast(endpoint, notice) {
  const counts = { delivered: 0, removed: 0 };
  const { Items } = await database.scan({ TableName });
  for (const { connectionId } of Items) {
    const response = await postTo(endpoint, connectionId.S, JSON.stringify(notice));
    if (response.status === 410 && response.headers.get("x-amzn-errortype") === "GoneException") {
      await database.deleteItem({ TableName, Key: { connectionId } });
      counts.removed++;
    } else if (response.ok) {
      counts.delivered++;
    } else {
      throw new Error(`${response.status}: ${await response.text()}`);
    }
  }
  return counts;
}

exports.handler = (event, context, callback) => {
  routes[event.requestContext.routeKey](event).then((answer) => callback(null, answer), callback);
};

import { ApiGatewayManagementApiClient, GoneException, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";

const TableName = process.env.TABLE;
const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));

// Posts to everybody, at the API's own host.
export const handler = async (event) => {
  const { apiId, stage, connectionId } = event.requestContext;
  const api = new ApiGatewayManagementApiClient({
    endpoint: `https://${apiId}.execute-api.${process.env.AWS_REGION}.amazonaws.com/${stage}`,
  });
  const { Item: sender } = await table.send(new GetCommand({ TableName, Key: { connectionId } }));
  const Data = JSON.stringify({ from: sender.name, text: JSON.parse(event.body).text });

  const { Items } = await table.send(new ScanCommand({ TableName, ProjectionExpression: "connectionId" }));
  const counts = { delivered: 0, removed: 0 };
  await Promise.all(Items.map(async ({ connectionId }) => {
    try {
      await api.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data }));
      counts.delivered++;
    } catch (error) {
      if (!(error instanceof GoneException) || error.$metadata.httpStatusCode !== 410) throw error;
      await table.send(new DeleteCommand({ TableName, Key: { connectionId } }));
      counts.removed++;
    }
  }));
  return { statusCode: 200, body: JSON.stringify(counts) };
};

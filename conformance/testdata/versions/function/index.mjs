const version = "first";

export const handler = async () => ({ statusCode: 200, body: version });

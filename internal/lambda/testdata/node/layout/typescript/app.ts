export const handler = async (event: unknown): Promise<string> => 'never run';

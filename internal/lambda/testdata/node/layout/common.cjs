module.exports.handler = async () => 'from common.cjs';

"""The loop of the Lambda Runtime API, and the answers that AWS's Python
runtime gives for handlers and for their errors."""

import decimal
import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback

API = "/2018-06-01/runtime"


class Failure(Exception):
    """A problem that the runtime itself reports."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = kind
        self.trace = list(trace)


class Client:
    """Speaks to the Runtime API over one connection."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address)

    def call(self, method, path, body=None, headers=None):
        self.connection.request(method, API + path, body, headers or {})
        response = self.connection.getresponse()
        return response.headers, response.read()

    def post(self, path, body, kind=None):
        headers = {"Content-Type": "application/json"}
        if kind:
            headers["Lambda-Runtime-Function-Error-Type"] = kind.encode("ascii", "replace").decode()
        self.call("POST", path, body.encode("utf-8", "surrogatepass"), headers)


class Identity:
    """identity of the context."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class Context:
    """The second argument of a handler."""

    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.client_context = None
        self.identity = Identity()
        self.tenant_id = None
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        members = ", ".join("%s=%s" % item for item in vars(self).items() if not item[0].startswith("_"))
        return "LambdaContext([%s])" % members


class Encoder(json.JSONEncoder):
    """JSON of a handler's answer; numbers from DynamoDB become floats."""

    def default(self, o):
        if isinstance(o, decimal.Decimal):
            return float(o)
        return super().default(o)


def load_handler(name):
    """Returns the function that a string such as "src/app.handler" names."""
    module_name, dot, function_name = name.rpartition(".")
    if not dot or not module_name or not function_name:
        raise Failure("Runtime.MalformedHandlerName",
                      "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % name)
    module_name = module_name.replace("/", ".")
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Failure("Runtime.BuiltInModuleConflict",
                      "Cannot use built-in module %s as a handler module" % module_name)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise Failure("Runtime.ImportModuleError",
                      "Unable to import module '%s': %s" % (module_name, error), stack(error)) from error
    except SyntaxError as error:
        raise Failure("Runtime.UserCodeSyntaxError",
                      "Syntax error in module '%s': %s" % (module_name, error),
                      ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, (error.text or "").rstrip("\n"))]) from error
    handler = getattr(module, function_name, None)
    if handler is None:
        raise Failure("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function_name, module_name))
    return handler


def stack(error):
    """The stack of an error in the function's code, as a list of frames."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames
           if frame.filename != __file__ and not frame.filename.startswith("<frozen importlib")
           and frame.filename != importlib.__file__]
    return traceback.format_list(own)


def describe(error, request_id=None):
    """The error object that Invoke returns."""
    if isinstance(error, Failure):
        kind, trace = error.kind, error.trace
    else:
        kind, trace = type(error).__name__, stack(error)
    description = {"errorMessage": str(error), "errorType": kind}
    if request_id is not None:
        description["requestId"] = request_id
    description["stackTrace"] = trace
    return description


def complain(description):
    """Shows an error in the function's log."""
    print("[ERROR] %s: %s" % (description["errorType"], description["errorMessage"]))
    if description["stackTrace"]:
        print("Traceback (most recent call last):")
        print("".join(description["stackTrace"]).rstrip("\n"))
    sys.stdout.flush()


def run(handler, body, context):
    """Returns the JSON of the handler's answer."""
    try:
        event = json.loads(body)
    except ValueError as error:
        raise Failure("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error) from error
    answer = handler(event, context)
    try:
        return json.dumps(answer, ensure_ascii=False, cls=Encoder)
    except (TypeError, ValueError) as error:
        raise Failure("Runtime.MarshalError", "Unable to marshal response: %s" % error) from error


def set_up_logging():
    """Gives the root logger a handler, so that setting its level is enough."""
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="[%(levelname)s]\t%(message)s")


def main():
    set_up_logging()
    client = Client(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:  # whatever the function's module raises
        description = describe(error)
        complain(description)
        client.post("/init/error", json.dumps(description), description["errorType"])
        sys.exit(1)
    while True:
        headers, body = client.call("GET", "/invocation/next")
        context = Context(headers)
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
        path = "/invocation/" + context.aws_request_id
        try:
            answer = run(handler, body, context)
        except Exception as error:
            description = describe(error, context.aws_request_id)
            complain(description)
            client.post(path + "/error", json.dumps(description), description["errorType"])
            continue
        sys.stdout.flush()
        client.post(path + "/response", answer)

"""The loop of events and answers, and the answers that AWS's Python runtime
gives for handlers and for their errors."""

import decimal
import importlib
import json
import logging
import os
import socket
import struct
import sys
import time
import traceback


class Failure(Exception):
    """A problem that the runtime itself reports."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = kind
        self.trace = list(trace)


class Channel:
    """The connection to the gateway: frames, each with a head of lines and a
    body. internal/lambda/channel.go describes them."""

    lengths = struct.Struct("!II")
    next = lengths.pack(4, 0) + b"next"

    def __init__(self, descriptor, address):
        if descriptor:
            self.socket = socket.socket(fileno=int(descriptor))
            self.socket.set_inheritable(False)
        else:
            host, _, port = address.rpartition(":")
            self.socket = socket.create_connection((host, int(port)))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.sendall(b"\0")  # what no request of HTTP begins with
        self.send, self.receive = self.socket.sendall, self.socket.recv

    def frame(self, head, body):
        head = "\n".join(head).encode("utf-8", "replace")
        body = body.encode("utf-8", "surrogatepass")
        return b"".join((self.lengths.pack(len(head), len(body)), head, body))

    def exchange(self, frame):
        """Sends an answer, asks for work, and returns the event that comes: its
        head as a list of lines, and its body."""
        try:
            self.send(frame + self.next)
            data = self.receive(65536)
        except OSError:
            os._exit(1)
        if len(data) < 8 or len(data) < sum(self.lengths.unpack_from(data)) + 8:
            data = self.complete(data)
        head_length, body_length = self.lengths.unpack_from(data)
        return data[8:8 + head_length].decode().split("\n"), data[8 + head_length:8 + head_length + body_length]

    def complete(self, data):
        parts, wanted = [data], 8
        while True:
            if not parts[-1]:
                os._exit(1)  # the gateway is gone, or has no use for this process
            gathered = sum(map(len, parts)) if wanted == 8 else gathered + len(parts[-1])
            if gathered >= wanted:
                data = b"".join(parts)
                parts, wanted = [data], sum(self.lengths.unpack_from(data)) + 8
                if gathered >= wanted:
                    return data
            parts.append(self.receive(1 << 20))


class Identity:
    """identity of the context."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class ClientContext:
    """client_context of the context: what the caller tells of itself."""

    def __init__(self, told):
        self.custom, self.env = told.get("custom"), told.get("env")
        self.client = None
        if told.get("client") is not None:
            self.client = Client(told["client"])


class Client:
    """client of the client context."""

    def __init__(self, told):
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
            setattr(self, name, told.get(name))


class Context:
    """The second argument of a handler."""

    def __init__(self, request_id, deadline, arn, client):
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.client_context = ClientContext(json.loads(client)) if client else None
        self.identity = Identity()
        self.tenant_id = None
        self._deadline = int(deadline)

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


def main(descriptor):
    set_up_logging()
    channel = Channel(descriptor, os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:  # whatever the function's module raises
        description = describe(error)
        complain(description)
        channel.send(channel.frame(("init", "", one_line(description["errorType"])), json.dumps(description)))
        sys.exit(1)
    answer = b""
    while True:
        (request_id, deadline, arn, trace, client), body = channel.exchange(answer)
        os.environ["_X_AMZN_TRACE_ID"] = trace
        try:
            result = run(handler, body, Context(request_id, deadline, arn, client))
        except Exception as error:
            description = describe(error, request_id)
            complain(description)
            answer = channel.frame(("error", request_id, one_line(description["errorType"])), json.dumps(description))
            continue
        sys.stdout.flush()
        answer = channel.frame(("response", request_id), result)


def one_line(text):
    return text[:200].replace("\r", " ").replace("\n", " ")

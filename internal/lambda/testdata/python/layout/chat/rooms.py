import logging

from chat.greeting import greet

log = logging.getLogger()
log.setLevel(logging.INFO)


def enter(event, context):
    print("printed", event)
    log.info("logged %s", event)
    return greet(event)

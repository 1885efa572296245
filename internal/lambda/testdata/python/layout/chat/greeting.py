def greet(room):
    return "welcome to " + room

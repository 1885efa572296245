// The page of the chat: a connection that comes back by itself, and a view of
// what arrives over it. The protocol is in the README beside the template.

const $ = (id) => document.getElementById(id);

// serverURL is where to connect to: the host that served the page and the
// stage "dev", unless ?stage= or ?url= say otherwise.
function serverURL(name) {
  const query = new URLSearchParams(location.search);
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const url = new URL(query.get("url") ?? `${scheme}//${location.host}/${query.get("stage") ?? "dev"}`);
  url.searchParams.set("name", name);
  return url;
}

// Connection keeps a WebSocket open until it is closed: when it is lost it is
// opened again, after a pause that grows with every failure.
class Connection {
  static firstPause = 500; // milliseconds
  static longestPause = 15_000;
  // API Gateway ends a connection that was idle for ten minutes.
  static keepAlive = 5 * 60_000;

  #url;
  #on;
  #socket;
  #failures = 0;
  #timer;
  #heartbeat;

  // on holds the callbacks open(), event(event) and state(state, pause), with
  // a state of "connecting" or "open", or of "waiting" or "offline", which last
  // for pause milliseconds.
  constructor(url, on) {
    this.#url = url;
    this.#on = on;
    addEventListener("online", this.connect);
    addEventListener("offline", this.#wait);
    this.connect();
  }

  connect = () => {
    this.#drop();
    this.#on.state("connecting");
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#failures = 0;
      this.#heartbeat = setInterval(() => this.send({ action: "who" }), Connection.keepAlive);
      this.#on.state("open");
      this.#on.open();
    };
    socket.onmessage = ({ data }) => this.#on.event(JSON.parse(data));
    socket.onclose = this.#wait;
  };

  send(request) {
    this.#socket.send(JSON.stringify(request));
  }

  close() {
    removeEventListener("online", this.connect);
    removeEventListener("offline", this.#wait);
    this.#drop();
  }

  #wait = () => {
    this.#drop();
    const longest = Math.min(Connection.longestPause, Connection.firstPause * 2 ** this.#failures++);
    // Clients that lost the same server should not all return at once.
    const pause = longest / 2 + Math.random() * longest / 2;
    this.#timer = setTimeout(this.connect, pause);
    // Without a network a server on this machine can still be reached.
    this.#on.state(navigator.onLine ? "waiting" : "offline", pause);
  };

  #drop() {
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    if (this.#socket) {
      this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
      this.#socket.close(1000);
      this.#socket = null;
    }
  }
}

// Small constructors of what the page is made of. Text is always set as text.

function element(tag, className, ...children) {
  const e = document.createElement(tag);
  e.className = className;
  e.append(...children);
  return e;
}

function avatar(name) {
  const e = element("span", "avatar", [...name][0].toUpperCase());
  let hash = 2166136261; // FNV-1a: similar names, distant hues
  for (const c of name) hash = Math.imul(hash ^ c.codePointAt(0), 16777619);
  e.style.setProperty("--hue", (hash >>> 0) % 360);
  e.ariaHidden = "true";
  return e;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });

// Room is the view of one room, and the user's part in it.
class Room {
  #connection;
  #me;
  #room;
  #last; // the message at the end of the list, if nothing came after it
  #entered = false;

  constructor(name, room) {
    this.#me = name;
    this.#room = room;
    $("room-name").textContent = room;
    this.#connection = new Connection(serverURL(name), {
      open: () => this.#connection.send({ action: "join", room }),
      event: (event) => this.#show(event),
      state: (state, pause) => this.#showState(state, pause),
    });
  }

  say(text) {
    this.#notice("");
    this.#connection.send({ action: "message", text });
  }

  retry() {
    this.#connection.connect();
  }

  leave() {
    this.#connection.close();
    $("messages").replaceChildren();
    $("members").replaceChildren();
    this.#notice("");
  }

  #show(event) {
    if (event.members) this.#showMembers(event.members);
    switch (event.type) {
      case "joined":
        this.#me = event.name;
        this.#remark(this.#entered ? "You are back" : `You joined #${event.room}`);
        this.#entered = true;
        $("send").disabled = false;
        break;
      case "entered":
        this.#remark(`${event.name} joined`);
        break;
      case "left":
        this.#remark(`${event.name} left`);
        break;
      case "message":
        this.#message(event);
        break;
      case "members":
        break;
      case "error":
        this.#notice(event.text);
        break;
      default: // an error of the gateway itself
        this.#notice(event.message);
    }
  }

  #message({ name, text, time }) {
    const at = new Date(time);
    const own = name === this.#me;
    const continued = this.#last?.name === name && at - this.#last.at < 5 * 60_000;
    this.#last = { name, at };
    const when = element("time", "", clock.format(at));
    when.dateTime = time;
    this.#append(element("li", `message${own ? " own" : ""}${continued ? " continued" : ""}`,
      avatar(name),
      element("p", "byline", element("span", "author", name), when),
      element("p", "text", text)));
  }

  #remark(text) {
    this.#last = null;
    this.#append(element("li", "remark", text));
  }

  // Keeps the end in view, unless the user has scrolled up to read.
  #append(item) {
    const list = $("messages");
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    list.append(item);
    if (atEnd) list.scrollTop = list.scrollHeight;
  }

  #showMembers(names) {
    let me = this.#me; // marks one of those who have our name
    $("member-count").textContent = names.length;
    $("members").replaceChildren(...names.map((name) => {
      const item = element("li", "", avatar(name), element("span", name === me ? "you" : "", name));
      if (name === me) me = null;
      return item;
    }));
  }

  #showState(state, pause) {
    const texts = {
      connecting: "Connecting…",
      open: "Connected",
      waiting: `Reconnecting in ${Math.ceil(pause / 1000)} s`,
      offline: "You are offline",
    };
    $("state").dataset.state = state;
    $("state-text").textContent = texts[state];
    $("retry").hidden = pause === undefined;
    if (state !== "open") $("send").disabled = true; // enabled by "joined"
  }

  #notice(text) {
    $("notice").textContent = text;
    $("notice").hidden = !text;
  }
}

// The way in and out.

let room = null;

function enter(name, roomName) {
  $("lobby").hidden = true;
  $("chat").hidden = false;
  document.title = `#${roomName}`;
  room = new Room(name, roomName);
  $("text").focus();
}

$("join-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("name").value.trim();
  const roomName = $("room").value.trim();
  if (!name || !roomName) return;
  localStorage.setItem("name", name);
  enter(name, roomName);
});

$("message-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text || $("send").disabled) return;
  room.say(text);
  $("text").value = "";
});

$("retry").addEventListener("click", () => room.retry());

$("leave").addEventListener("click", () => {
  room.leave();
  room = null;
  document.title = "Chat";
  $("chat").hidden = true;
  $("lobby").hidden = false;
  $("name").focus();
});

$("name").value = localStorage.getItem("name") ?? "";
$("room").value = new URLSearchParams(location.search).get("room") ?? $("room").value;
$("name").focus();

package conformance

import (
	"encoding/json"
	"testing"
)

// TestChat opens the example's page in two tabs of a browser.
func TestChat(t *testing.T) {
	t.Parallel()
	browser := newBrowser(t)
	dir := copyApplication(t, "../examples/chat")
	gateway := start(t, dir)

	ada, bob := browser.open(gateway.ready.Public+"/"), browser.open(gateway.ready.Public+"/")
	ada.screenshot("lobby")
	join(ada, "Ada", "stage left")
	members(ada, "Ada")
	join(bob, "Bob", "stage left")
	members(ada, "Ada", "Bob")
	members(bob, "Ada", "Bob")
	said(ada, "remark", "Bob joined")

	say(ada, "Good evening!")
	say(bob, "<b>Hi</b> & wëlcome 👋")
	for _, page := range []*tab{ada, bob} {
		said(page, "message", "Good evening!")
		said(page, "message", "<b>Hi</b> & wëlcome 👋")
	}
	ada.screenshot("room")

	// A gateway that starts again finds the page waiting for it.
	gateway.stop()
	ada.await(`document.querySelector("#state").dataset.state !== "open" && document.querySelector("#send").disabled`)
	ada.screenshot("waiting")
	gateway = start(t, dir, "--listen", gateway.address())
	for _, page := range []*tab{ada, bob} {
		said(page, "remark", "You are back")
		page.await(`document.querySelector("#state").innerText === "Connected"`)
		members(page, "Ada", "Bob")
	}
	say(bob, "Where were we?")
	said(ada, "message", "Where were we?")

	bob.close()
	said(ada, "remark", "Bob left")
	members(ada, "Ada")
	gateway.await("disconnect", func(e event) bool { return e.Status == 1001 })

	// Without a network a gateway on this machine can still be reached.
	ada.loseNetwork()
	ada.await(`[...document.querySelectorAll("#messages .remark")].filter((r) => r.textContent === "You are back").length === 2`)
	members(ada, "Ada")
}

// TestChatOverTLS has the page talk over TLS.
func TestChatOverTLS(t *testing.T) {
	t.Parallel()
	browser := newBrowser(t)
	gateway := start(t, copyApplication(t, "../examples/chat"))
	page := "https://" + gateway.address() + "/"
	ada, bob := browser.open(page), browser.open(page)
	join(ada, "Ada", "stage right")
	join(bob, "Bob", "stage right")
	members(ada, "Ada", "Bob")
	say(ada, "Is anybody listening?")
	said(bob, "message", "Is anybody listening?")
	bob.await(`document.querySelector("#state").innerText === "Connected" && location.protocol === "https:"`)
	bob.close()
	said(ada, "remark", "Bob left")
	gateway.await("disconnect", func(e event) bool { return e.Status == 1001 })
}

// join enters a room by the form.
func join(page *tab, name, room string) {
	page.t.Helper()
	page.fill("#name", name)
	page.fill("#room", room)
	page.click("#join")
	page.await(`document.querySelector("#state").dataset.state === "open" && !document.querySelector("#send").disabled`)
	page.await(`document.querySelector("#room-name").innerText === %s`, quote(room))
}

// say sends a message by the form.
func say(page *tab, text string) {
	page.t.Helper()
	page.fill("#text", text)
	page.click("#send")
}

// said waits until a text is among the messages or remarks.
func said(page *tab, class, text string) {
	page.t.Helper()
	page.await(`[...document.querySelectorAll("#messages .%s")].some((m) => (m.querySelector(".text") ?? m).textContent === %s)`, class, quote(text))
}

// members waits until exactly the named are shown as present, in any order.
func members(page *tab, names ...string) {
	page.t.Helper()
	want, _ := json.Marshal(names)
	page.await(`JSON.stringify([...document.querySelectorAll("#members li > :last-child")].map((m) => m.textContent).sort()) === %s`,
		quote(string(want)))
}

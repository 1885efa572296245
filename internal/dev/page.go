package dev

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// pageFolder is the folder "public" beside the template, which is served at /;
// empty when there is none.
func (s *Server) pageFolder() string {
	if s.source.File == "" {
		return ""
	}
	folder := filepath.Join(filepath.Dir(s.source.File), "public")
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return ""
	}
	return folder
}

// servePage answers requests that are for no API: with the files of the page,
// or with a list of the URLs to connect to. A path that means nothing is the
// refusal that API Gateway gives.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	folder := s.pageFolder()
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		s.gateway.RefuseURL(w, r, "no such stage")
	case folder == "" && r.URL.Path == "/":
		s.serveURLs(w)
	case folder == "":
		s.gateway.RefuseURL(w, r, "no such stage")
	case !serveFile(w, r, folder):
		s.gateway.RefuseURL(w, r, "no such stage, and no such file in the folder public")
	}
}

// serveFile answers with a file of a folder, and reports whether there is one to
// be served: a regular file, below the folder even where links lead elsewhere,
// whose path has no name that begins with a dot, but for .well-known.
func serveFile(w http.ResponseWriter, r *http.Request, folder string) bool {
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if strings.HasSuffix(r.URL.Path, "/") {
		name = path.Join(name, "index.html")
	}
	if slices.ContainsFunc(strings.Split(name, "/"), isPrivate) {
		return false
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return false
	}
	defer func() { _ = root.Close() }()
	// Opening a pipe or a device may wait, or do something: only what is a file
	// is opened, and opened without waiting should it be swapped meanwhile.
	if info, err := root.Stat(name); err != nil || !info.Mode().IsRegular() {
		return false
	}
	file, err := root.OpenFile(name, os.O_RDONLY|openWithoutWaiting, 0)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	w.Header().Set("Cache-Control", "no-cache") // a saved page is seen at the next reload
	http.ServeContent(w, r, name, info.ModTime(), file)
	return true
}

// isPrivate reports whether a file or folder of this name is not for visitors:
// .git, .env, .DS_Store.
func isPrivate(name string) bool { return strings.HasPrefix(name, ".") && name != ".well-known" }

// serveURLs lists where clients connect.
func (s *Server) serveURLs(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintln(w, "Stagedoor serves these WebSocket APIs:")
	for _, u := range s.connectURLs() {
		_, _ = fmt.Fprintf(w, "  %s\n", u)
	}
}

package stagedoor

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// pageFolder is the folder "public" beside the template, which is served at /;
// empty when there is none.
func (d *dev) pageFolder() string {
	folder := filepath.Join(filepath.Dir(d.file), "public")
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return ""
	}
	return folder
}

// servePage answers requests that are for no API: with the files of the page,
// or with a list of the URLs to connect to. A path that means nothing is the
// refusal that API Gateway gives.
func (d *dev) servePage(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		apigw.ErrForbidden.WriteTo(w)
		return
	}
	folder := d.pageFolder()
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if folder == "" {
		if name == "" {
			d.serveURLs(w)
			return
		}
		apigw.ErrForbidden.WriteTo(w)
		return
	}
	root, err := os.OpenRoot(folder) // no link leads out of it
	if err != nil {
		apigw.ErrForbidden.WriteTo(w)
		return
	}
	defer func() { _ = root.Close() }()
	if strings.HasSuffix(r.URL.Path, "/") {
		name = path.Join(name, "index.html")
	}
	file, err := root.Open(name)
	if err != nil {
		apigw.ErrForbidden.WriteTo(w)
		return
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		apigw.ErrForbidden.WriteTo(w)
		return
	}
	w.Header().Set("Cache-Control", "no-cache") // a saved page is seen at the next reload
	http.ServeContent(w, r, name, info.ModTime(), file)
}

// serveURLs lists where clients connect.
func (d *dev) serveURLs(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintln(w, "Stagedoor serves these WebSocket APIs:")
	running := d.running.Load()
	if running == nil {
		return
	}
	for _, p := range running.plans {
		_, _ = fmt.Fprintf(w, "  %s/%s\n", strings.Replace(d.public.URL(), "http", "ws", 1), p.Name)
	}
}

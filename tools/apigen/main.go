// Command apigen generates the wire types of the control plane from the service
// models that AWS publishes: operations with methods, URIs and statuses, and
// their requests and responses with the members' locations and limits.
//
//	go run ./tools/apigen                                 from the models that AWS publishes
//	go run ./tools/apigen -models .../site-packages/botocore/data    from a copy of them
//
// What it writes is checked in, so that building needs no model.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	models := flag.String("models", "", "folder with the models, as the data folder of botocore; without it, those of botocore "+botocore+" are fetched from its repository")
	out := flag.String("out", "internal/apigw", "folder of the packages")
	flag.Parse()
	if err := run(context.Background(), *models, *out); err != nil {
		fmt.Fprintln(os.Stderr, "apigen:", err)
		os.Exit(1)
	}
}

// run generates both packages below a folder, from the models of another one, or from
// those that AWS publishes if that is "".
func run(ctx context.Context, models, out string) error {
	for _, t := range []target{wireV2, wireV1} {
		text, err := t.model.fetchOrRead(ctx, models)
		if err != nil {
			return err
		}
		files, err := generate(text, t)
		if err != nil {
			return fmt.Errorf("package %s: %w", t.name, err)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(out, t.name, name), text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s source) fetchOrRead(ctx context.Context, folder string) ([]byte, error) {
	if folder == "" {
		return s.fetch(ctx, published)
	}
	return s.read(folder)
}

// Command apigen generates the wire types of the control plane from the service
// models that AWS publishes: operations with methods, URIs and statuses, and
// their requests and responses with the members' locations and limits.
//
//	go run ./tools/apigen -v2 apigatewayv2.json.gz -v1 apigateway.json.gz -out internal/apigw
//
// What it writes is checked in, so that building needs no model.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	v2 := flag.String("v2", "", "the model of API Gateway v2, gzipped JSON")
	v1 := flag.String("v1", "", "the model of API Gateway v1, gzipped JSON")
	out := flag.String("out", "internal/apigw", "the folder of the packages")
	flag.Parse()
	if err := run(*v2, *v1, *out); err != nil {
		fmt.Fprintln(os.Stderr, "apigen:", err)
		os.Exit(1)
	}
}

// run generates both packages below a folder.
func run(v2, v1, out string) error {
	for _, job := range []struct {
		model string
		target
	}{{v2, wireV2}, {v1, wireV1}} {
		m, err := readModel(job.model)
		if err != nil {
			return err
		}
		files, err := generate(m, job.target)
		if err != nil {
			return fmt.Errorf("package %s: %w", job.name, err)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(out, job.name, name), text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

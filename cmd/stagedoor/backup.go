package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/stagedoor/stagedoor/internal/store"
)

// standard, in the place of a file's name, stands for standard output or input.
const standard = "-"

// BackupCmd is "stagedoor backup".
type BackupCmd struct {
	File string `arg:"" help:"File to write; - stands for standard output."`
	storeFlags
}

// Help is the second half of "stagedoor backup --help".
func (BackupCmd) Help() string {
	return `Writes everything that a gateway keeps into one file: APIs, deployments, stages,
domain names, API keys, usage plans, access keys, certificates. The file has
secrets in it. An existing file is replaced once the backup is whole.

` + whichStore + `

Exit codes: 0 the backup is written, 1 it is not, 2 wrong flags.`
}

// Run writes a backup.
func (c *BackupCmd) Run(ctx context.Context, p *process) error {
	s, err := c.open(ctx, p, false)
	if err != nil {
		return err
	}
	defer s.close()
	if c.File == standard {
		_, err := s.Backup(ctx, p.stdout)
		return err
	}
	records, err := writeWhole(c.File, func(w io.Writer) (int, error) { return s.Backup(ctx, w) })
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s: %s\n", shortPath(c.File), count(records, "record"))
	return err
}

// writeWhole replaces a file by a backup once that is whole. A file that is not
// a regular one, such as a pipe, is written to directly.
func writeWhole(name string, write func(io.Writer) (int, error)) (records int, err error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return 0, err
		}
		records, err = write(file)
		return records, errors.Join(err, file.Close())
	}
	return store.WriteBackup(name, write)
}

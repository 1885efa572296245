package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/stagedoor/stagedoor/internal/store"
)

// RestoreCmd is "stagedoor restore".
type RestoreCmd struct {
	File    string `arg:"" help:"Backup to read; - stands for standard input."`
	Replace bool   `help:"Replace everything that the gateway has: afterwards it has exactly what the backup has."`
	storeFlags
}

// Help is the second half of "stagedoor restore --help".
func (RestoreCmd) Help() string {
	return `Puts a backup into a gateway. The whole file is read before anything is written:
one that is cut off, changed or damaged is refused with the line of the mistake.
A running gateway serves the restored configuration at once. With --replace a
damaged data folder is moved aside.

` + whichStore + `

Exit codes: 0 the backup is restored, 1 it is not, 2 wrong flags.`
}

// Run restores a backup.
func (c *RestoreCmd) Run(ctx context.Context, p *process) error {
	file, remove, err := c.openFile(p)
	if err != nil {
		return err
	}
	defer remove()
	if _, err := store.CheckBackup(file); err != nil { // before a data folder is made
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s, err := c.openOrReplace(ctx, p, true, c.Replace)
	if err != nil {
		return err
	}
	defer s.close()
	records, err := s.Restore(ctx, file, c.Replace)
	if errors.Is(err, store.ErrNotEmpty) {
		return fmt.Errorf("%w; --replace puts the backup in the place of all of them", err)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "restored %s\n", count(records, "record"))
	return err
}

// openFile opens the backup. If it comes by standard input, or another source
// that can be read only once, it is copied to a temporary file, which done
// removes.
func (c *RestoreCmd) openFile(p *process) (file *os.File, done func(), err error) {
	from := p.stdin
	if c.File != standard {
		if file, err = os.Open(c.File); err != nil {
			return nil, nil, err
		}
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			return file, func() { _ = file.Close() }, nil
		}
		defer file.Close()
		from = file
	}
	kept, err := os.CreateTemp("", "stagedoor-restore-") // only its owner may read it
	if err != nil {
		return nil, nil, err
	}
	done = func() {
		_ = kept.Close()
		_ = os.Remove(kept.Name())
	}
	if _, err = io.Copy(kept, from); err == nil {
		_, err = kept.Seek(0, io.SeekStart)
	}
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("reading the backup: %w", err)
	}
	return kept, done, nil
}

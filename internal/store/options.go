package store

import (
	"cmp"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"
)

// Options configure the NATS servers that keep the configuration: one in this
// process, if URL is empty, or servers elsewhere.
type Options struct {
	// Dir is the data directory of the NATS server in this process. It is made
	// if it does not exist, and is open to its owner only: it holds secrets.
	Dir string

	// OnDamage is what to do if something in Dir is damaged.
	OnDamage OnDamage
	// BackupDir is the folder of the automatic backups of Dir; the folder
	// "backups" in Dir if empty. BackupKeep is how many are kept, 0 for no
	// backups.
	BackupDir  string
	BackupKeep int
	// backupQuiet is how long after a change a backup begins. It has the
	// changes that come meanwhile, too. Only tests set it.
	backupQuiet time.Duration

	// URL is one or more NATS servers elsewhere, with commas between:
	// "nats://a.example:4222,tls://b.example:4222". They must have JetStream.
	URL string
	// The client's identity, at most one way: a file of credentials, a file
	// with the seed of an NKey, a name with its password, a token.
	CredentialsFile string
	NKeyFile        string
	User, Password  string
	Token           string
	// CAFile has the certificate authorities that the servers' certificates
	// must be of, in place of the system's. CertFile and KeyFile are the
	// client's own certificate and key. All are PEM.
	CAFile            string
	CertFile, KeyFile string
	// Replicas is how many servers of the cluster hold every record: 1, 3 or
	// 5. 0 leaves an existing bucket as it is, and stands for 1 in a new one.
	Replicas int

	// Bucket is the name of the key-value bucket, "stagedoor" if empty.
	Bucket string
	// Timeout is the longest that a call may take, 5 s if 0.
	Timeout time.Duration
	// Log gets what the operator should know about the storage. nil discards
	// it.
	Log *slog.Logger
}

// OnDamage is what Open does with a damaged store.
type OnDamage int

// What to do with a store that is damaged.
const (
	// Refuse does not open it: the error of Open is a *Damage.
	Refuse OnDamage = iota
	// ServeWhole opens the store with the records that are whole. For the
	// others calls return ErrDamaged, and they are not written. The damaged
	// files stay as they are.
	ServeWhole
	// Repair restores damaged records from the newest backup that has them,
	// opens the result, and moves the damaged files aside.
	Repair
	// Replace moves the damaged files aside and opens an empty store.
	Replace
)

const (
	defaultBucket  = "stagedoor"
	defaultTimeout = 5 * time.Second
)

// identity describes the credentials that this client has, without the secret.
func (o Options) identity() string {
	switch {
	case o.CredentialsFile != "":
		return "the credentials in " + o.CredentialsFile
	case o.NKeyFile != "":
		return "the NKey in " + o.NKeyFile
	case o.User != "" && o.Password == "":
		return fmt.Sprintf("the user %q, who comes without a password", o.User)
	case o.User != "":
		return fmt.Sprintf("the user %q with this password", o.User)
	case o.Token != "":
		return "this token"
	}
	return "a client that names no user, token or key"
}

// prepared returns the options with their defaults, or an error that says what
// is wrong with them.
func (o Options) prepared() (Options, error) {
	if o.Bucket == "" {
		o.Bucket = defaultBucket
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.backupQuiet = cmp.Or(o.backupQuiet, time.Second)
	if o.BackupDir == "" {
		o.BackupDir = filepath.Join(o.Dir, "backups")
	}
	identities := 0
	for _, given := range []string{o.CredentialsFile, o.NKeyFile, o.User, o.Token} {
		if given != "" {
			identities++
		}
	}
	switch {
	case o.Dir == "" && o.URL == "":
		return o, fmt.Errorf("the configuration store needs a data directory or the URL of NATS servers")
	case identities > 1:
		return o, fmt.Errorf("NATS takes one of a credentials file, an NKey, a user, and a token")
	case (o.CertFile == "") != (o.KeyFile == ""):
		return o, fmt.Errorf("a client certificate for NATS needs its key, and the key its certificate")
	case o.Replicas < 0 || o.Replicas > 5:
		return o, fmt.Errorf("NATS keeps 1 to 5 replicas, not %d", o.Replicas)
	}
	return o, nil
}

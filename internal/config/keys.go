package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/forwarded"
	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/servertls"
	"github.com/stagedoor/stagedoor/internal/setting"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// key is a key of the file and its value.
type key struct {
	name  string
	value value
}

// keys returns the table of keys, with values that set the members of c. Variables of
// the environment, flags, the report of changes and the test of the documentation
// follow from it. A key is here only where something acts on it.
func (c *Config) keys() section {
	return section{
		{"region", text(&c.Region, checkRegion)},
		{"account", text(&c.Account, checkAccount)},
		{"node", bind(&c.Node, parseNode)},
		{"data", filePath(&c.Data)},
		{"listen", list[string]{&c.Listen, parseListen, 1}},
		{"admin", section{
			{"listen", text(&c.Admin.Listen, checkAddress)},
			{"tls", section{
				{"cert", filePath(&c.Admin.TLS.Cert)},
				{"key", filePath(&c.Admin.TLS.Key)},
				{"clientCA", filePath(&c.Admin.TLS.ClientCA)},
				{"policy", bind(&c.Admin.TLS.Policy, servertls.ParsePolicy)},
			}},
		}},
		{"tls", section{
			{"certificates", live{records[Certificate]{&c.TLS.Certificates, (*Certificate).keys}}},
			{"acme", section{
				{"domains", list[string]{&c.TLS.ACME.Domains, parseCertifiable, 0}},
				{"email", text(&c.TLS.ACME.Email, checkEmail)},
				{"directory", text(&c.TLS.ACME.Directory, checkURL)},
				{"ca", filePath(&c.TLS.ACME.CA)},
				{"keyId", text(&c.TLS.ACME.KeyID, nil)},
				{"macKeyEnv", text(&c.TLS.ACME.MACKey.Env, checkVariable)},
				{"macKeyFile", filePath(&c.TLS.ACME.MACKey.File)},
			}},
			{"policy", bind(&c.TLS.Policy, servertls.ParsePolicy)},
			{"records", bind(&c.TLS.Records, servertls.ParseRecords)},
			{"required", boolean(&c.TLS.Required)},
		}},
		{"credentials", live{records[Credential]{&c.Credentials, (*Credential).keys}}},
		{"apiEndpoint", bind(&c.APIEndpoint, parseAPIEndpoint)},
		{"nats", section{
			{"url", text(&c.NATS.URL, checkNATS)},
			{"credentials", filePath(&c.NATS.Credentials)},
			{"nkey", filePath(&c.NATS.NKey)},
			{"user", text(&c.NATS.User, nil)},
			{"passwordEnv", text(&c.NATS.Password.Env, checkVariable)},
			{"passwordFile", filePath(&c.NATS.Password.File)},
			{"tokenEnv", text(&c.NATS.Token.Env, checkVariable)},
			{"tokenFile", filePath(&c.NATS.Token.File)},
			{"tls", section{
				{"ca", filePath(&c.NATS.TLS.CA)},
				{"cert", filePath(&c.NATS.TLS.Cert)},
				{"key", filePath(&c.NATS.TLS.Key)},
			}},
			{"bucket", text(&c.NATS.Bucket, checkBucket)},
			{"replicas", integer(&c.NATS.Replicas, 0, 5)},
			{"timeout", duration(&c.NATS.Timeout, 100*time.Millisecond, time.Minute)},
		}},
		{"backup", section{
			{"keep", integer(&c.Backup.Keep, 0, 1000)},
			{"dir", filePath(&c.Backup.Dir)},
		}},
		{"log", section{
			{"format", choice(&c.Log.Format, map[string]string{LogText: LogText, LogJSON: LogJSON})},
			{"level", live{choice(&c.Log.Level, map[string]slog.Level{
				"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
			})}},
			{"events", live{choice(&c.Log.Events, map[string]string{EventsNone: EventsNone, EventsFailed: EventsFailed, EventsAll: EventsAll})}},
			{"summary", duration(&c.Log.Summary, 0, 24*time.Hour)},
		}},
		{"logs", section{
			{"access", records[logsink.Rule]{&c.Logs.Access, accessLogKeys}},
			{"execution", logPlaceKeys(&c.Logs.Execution)},
		}},
		{"metrics", section{
			{"enabled", boolean(&c.Metrics.Enabled)},
			{"listen", text(&c.Metrics.Listen, checkAddress)},
			{"tokenEnv", live{text(&c.Metrics.Token.Env, checkVariable)}},
			{"tokenFile", live{filePath(&c.Metrics.Token.File)}},
			{"cloudwatch", boolean(&c.Metrics.CloudWatch)},
		}},
		{"telemetry", section{
			{"otlp", section{
				{"endpoint", bind(&c.Telemetry.OTLP.Endpoint, parseURL)},
				{"protocol", choice(&c.Telemetry.OTLP.Protocol, map[string]string{"http/protobuf": "http/protobuf", "http/json": "http/json", "grpc": "grpc"})},
				{"headersEnv", text(&c.Telemetry.OTLP.Headers.Env, checkVariable)},
			}},
			{"traces", section{
				{"ratio", bind(&c.Telemetry.Ratio, parseRatio)},
			}},
		}},
		{"proxies", section{
			{"trusted", list[netip.Prefix]{(*[]netip.Prefix)(&c.Proxies.Trusted), forwarded.ParseNetwork, 0}},
			{"proxyProtocol", boolean(&c.Proxies.ProxyProtocol)},
		}},
		{"limits", append(connectionKeys(&c.Limits.Each), section{
			{"headerBytes", size(&c.Limits.HeaderBytes, 1<<10, 1<<20)},
			{"headerLines", integer(&c.Limits.HeaderLines, 16, 10_000)},
			{"urlBytes", size(&c.Limits.URLBytes, 256, 1<<20)},
			{"handshakes", integer(&c.Limits.Handshakes, 1, 1_000_000)},
			{"handshakesPerSource", integer(&c.Limits.HandshakesPerSource, 1, 1_000_000)},
			{"requests", requestRate(&c.Limits)},
			{"connects", accountRate(&c.Limits.Connects, usage.AWSConnects)},
			{"connections", integer(&c.Limits.Connections, 1, 100_000_000)},
			{"connectionsPerAPI", integer(&c.Limits.ConnectionsPerAPI, 1, 100_000_000)},
			{"memory", size(&c.Limits.Memory, 64<<20, 1<<40)},
			{"connectionsPerSource", integer(&c.Limits.ConnectionsPerSource, 1, 100_000_000)},
		}...)},
		{"timeouts", section{
			{"header", duration(&c.Timeouts.Header, time.Second, 10*time.Minute)},
			{"body", duration(&c.Timeouts.Body, time.Second, 10*time.Minute)},
			{"write", duration(&c.Timeouts.Write, time.Second, 10*time.Minute)},
			{"idle", duration(&c.Timeouts.Idle, time.Second, time.Hour)},
		}},
		{"shutdown", section{
			{"delay", duration(&c.Shutdown.Delay, 0, 10*time.Minute)},
			{"timeout", duration(&c.Shutdown.Timeout, time.Second, time.Hour)},
		}},
		{"health", section{
			{"public", boolean(&c.Health.Public)},
		}},
		{"quotas", c.Quotas.keys()},
		{"backends", section{
			{"ca", filePath(&c.Backends.CA)},
			{"connections", integer(&c.Backends.Connections, 1, 1_000_000)},
			{"waiting", integer(&c.Backends.Waiting, 0, 1_000_000)},
		}},
		{"endpoints", table[*url.URL]{&c.Endpoints, checkService, parseEndpoint}},
		{"vpcLinks", table[setting.Address]{&c.VPCLinks, checkLink, parseTarget}},
		{"functions", live{table[awsservice.InvokeEndpoint]{&c.Functions, checkFunction, parseFunction}}},
		{"apis", live{shortForm{&c.APIs}}},
	}
}

// connectionKeys returns the keys of the limits of each connection.
func connectionKeys(l *usage.ConnectionLimits) section {
	const (
		shortest = 10 * time.Millisecond
		longest  = 365 * 24 * time.Hour
		largest  = 1 << 30
	)
	return section{
		{"idle", live{orNone(&l.Idle, duration(&l.Idle, shortest, longest))}},
		{"lifetime", live{orNone(&l.Lifetime, duration(&l.Lifetime, shortest, longest))}},
		{"ping", live{orNone(&l.Ping, duration(&l.Ping, shortest, longest))}},
		{"frame", live{orNone(&l.Frame, size(&l.Frame, 1, largest))}},
		{"message", live{orNone(&l.Message, size(&l.Message, 1, largest))}},
	}
}

// SetConnectionLimit sets one of the limits of each connection to a value that is
// written as in the file. The name is that of the key below "limits": idle, lifetime,
// ping, frame or message; any other panics. The error says what is wrong with the
// value.
func SetConnectionLimit(l *usage.ConnectionLimits, name, text string) error {
	return connectionKeys(l).find(name).(textual).set(text)
}

func accessLogKeys(r *logsink.Rule) section {
	return append(section{{"destination", text(&r.Destination, nil)}}, logPlaceKeys(&r.Place)...)
}

func logPlaceKeys(p *logsink.Place) section {
	return section{
		{"file", filePath(&p.File)},
		{"stdout", boolean(&p.Stdout)},
		{"syslog", section{
			{"address", bind(&p.Syslog.Daemon, logsink.ParseDaemon)},
			{"facility", choice(&p.Syslog.Facility, logsink.Facilities())},
			{"app", text(&p.Syslog.App, checkApp)},
		}},
		{"cloudwatch", boolean(&p.CloudWatch)},
		{"firehose", boolean(&p.Firehose)},
		{"otlp", boolean(&p.OTLP)},
	}
}

func (c *Certificate) keys() section {
	return section{
		{"cert", filePath(&c.Cert)},
		{"key", filePath(&c.Key)},
	}
}

func (c *Credential) keys() section {
	return section{
		{"user", text(&c.User, checkUser)},
		{"accessKeyId", text(&c.AccessKeyID, checkAccessKeyID)},
		{"secretAccessKeyEnv", text(&c.Secret.Env, checkVariable)},
		{"secretAccessKeyFile", filePath(&c.Secret.File)},
		{"policies", documents{&c.Policies, checkPolicy}},
		{"expires", timestamp(&c.Expires)},
	}
}

func (q *Quotas) keys() section {
	const most = 1_000_000
	return section{
		{"apis", integer(&q.APIs, 1, most)},
		{"routes", integer(&q.Routes, 1, most)},
		{"integrations", integer(&q.Integrations, 1, most)},
		{"integrationResponses", integer(&q.IntegrationResponses, 1, most)},
		{"models", integer(&q.Models, 1, most)},
		{"authorizers", integer(&q.Authorizers, 1, most)},
		{"stages", integer(&q.Stages, 1, most)},
		{"deployments", integer(&q.Deployments, 1, most)},
		{"tags", integer(&q.Tags, 1, most)},
		{"stageVariables", integer(&q.StageVariables, 1, most)},
		{"domainNames", integer(&q.DomainNames, 1, most)},
		{"apiMappings", integer(&q.APIMappings, 1, most)},
		{"vpcLinks", integer(&q.VPCLinks, 1, most)},
		{"apiKeys", integer(&q.APIKeys, 1, most)},
		{"usagePlans", integer(&q.UsagePlans, 1, most)},
	}
}

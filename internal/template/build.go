package template

// builder makes an Application of resolved resources.
type builder struct {
	*resolver
	folder string // of the template, absolute
	app    *Application
}

func newBuilder(r *resolver, folder string) *builder {
	return &builder{resolver: r, folder: folder, app: &Application{
		StackName: r.stack.name, Region: r.stack.region, AccountID: r.stack.account,
	}}
}

func (b *builder) build() *Application { return b.app }

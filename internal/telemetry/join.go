package telemetry

// Join returns a Recorder that hands every record to each of the given ones, in their
// order. Those that are nil are left out: of one it is that one itself, of none Discard.
func Join(recorders ...Recorder) Recorder {
	var all joined
	for _, r := range recorders {
		if r != nil {
			all = append(all, r)
		}
	}
	switch len(all) {
	case 0:
		return Discard
	case 1:
		return all[0]
	}
	return all
}

// joined are at least two recorders.
type joined []Recorder

// Record implements Recorder.
func (all joined) Record(e *Record) {
	for _, r := range all {
		r.Record(e)
	}
}

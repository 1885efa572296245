package lambda

import "context"

func (h *Host) nodeSDK(ctx context.Context, f Function, dir string) string { return "" }

func (h *Host) pythonSDK(ctx context.Context, interpreter *python) string { return "" }

func importsBoto3(f Function, dir string) bool { return false }

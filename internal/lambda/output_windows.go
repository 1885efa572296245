package lambda

import "os"

// unread returns 0: Windows cannot tell for the pipes of package os.
func unread(*os.File) int { return 0 }

package lambda

import "os"

// unread is 0: Windows has no such question for the pipes of package os.
func unread(*os.File) int { return 0 }

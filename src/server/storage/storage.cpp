#include "server/storage/storage.hpp"

// The interface has no code of its own; this file proves that its header stands alone.

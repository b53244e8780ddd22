// libext2fs; that of Debian 13 defines a macro clamp(), which breaks <algorithm>.
#pragma once
#include <ext2fs/ext2fs.h>
#undef clamp

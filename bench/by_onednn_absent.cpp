// gcompile-bench where oneDNN is not installed.
#include "by_onednn.h"

namespace gcompile::bench {

std::string onednn_version() { return {}; }

OnednnCall matmul_by_onednn(const MatmulShape&) { return {}; }
OnednnCall softmax_by_onednn(std::int64_t, std::int64_t) { return {}; }
OnednnCall layer_norm_by_onednn(std::int64_t, std::int64_t) { return {}; }
OnednnCall gelu_by_onednn(std::int64_t, std::int64_t) { return {}; }
OnednnCall row_sums_by_onednn(std::int64_t, std::int64_t) { return {}; }
OnednnCall column_sums_by_onednn(std::int64_t, std::int64_t) { return {}; }
OnednnCall transpose_by_onednn(std::int64_t, std::int64_t) { return {}; }
OnednnCall add_by_onednn(std::int64_t, std::int64_t) { return {}; }

}  // namespace gcompile::bench

#include "convoy/comm/reducer.hpp"

#include <cassert>
#include <utility>

#include "mpi_reducer.hpp"
#include "tree_reducer.hpp"

namespace convoy::comm {

std::unique_ptr<Reducer> make_reducer(const Communicator& world, std::int64_t size,
                                      std::vector<Range> buckets, const ReducerOptions& options,
                                      Reducer::Finish finish) {
  if (options.reduction == Reduction::kTree)
    return std::make_unique<TreeReducer>(world, size, std::move(buckets), options, std::move(finish));
  assert(options.wire == Wire::kFloat32);
  return std::make_unique<MpiReducer>(world, size, std::move(buckets), options, std::move(finish));
}

}  // namespace convoy::comm

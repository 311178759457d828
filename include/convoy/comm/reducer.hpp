#pragma once
// The sum of gradients over all ranks along the fixed tree (comm/tree.hpp), whatever the number of ranks.
//
// Every rank owns one slice of the vector. It sends every other rank that rank's slice of its maximal nodes
// (reduce-scatter), adds what it receives along the tree, divides, and sends its finished slice to all
// (all-gather). With f maximal nodes a rank on average and P ranks, a rank sends on average (f + 1)·(P − 1)/P
// times the vector.

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/comm/tree.hpp"

namespace convoy::comm {

/// The leaves rank `rank` of `ranks` computes when there are `leaves` of them.
[[nodiscard]] inline Range leaf_block(std::int64_t leaves, int ranks, int rank) {
  return split(leaves, ranks, rank);
}

/// One of a rank's maximal nodes and its value, `size` elements; used as working memory.
struct NodeValue {
  Range node;
  float* value = nullptr;
};

class Reducer {
 public:
  /// Sums vectors of `size` elements over the ranks of `communicator`.
  Reducer(Communicator communicator, std::int64_t size);
  ~Reducer();

  /// Collective, blocking. `mine` are the values of maximal_nodes(leaf_block(leaves, …), leaves), in that
  /// order (none for a rank without leaves); they are overwritten. Allocates only for a number of `leaves`
  /// that is new. On return `result` (not among them) holds, on every rank, the tree's root divided by
  /// `divisor`: the same bits for any number of ranks.
  void reduce(std::span<const NodeValue> mine, std::int64_t leaves, float divisor, std::span<float> result);

  /// Bytes of gradient this rank has sent to other ranks since construction.
  [[nodiscard]] std::int64_t bytes_sent() const { return bytes_sent_; }

 private:
  /// What is received and added for one number of leaves: a part is one rank's maximal node, by leaf order.
  struct Plan {
    struct Part {
      int rank = 0;
      int index = 0;  ///< among its rank's
    };
    struct Merge {
      std::size_t left = 0;  ///< of the parts: left += right
      std::size_t right = 0;
    };
    std::vector<Part> parts;
    std::vector<Merge> merges;  ///< the first part holds the root in the end
    std::size_t foreign = 0;    ///< parts of other ranks
  };
  const Plan& plan_for(std::int64_t leaves);

  Communicator communicator_;
  std::int64_t size_;
  std::int64_t bytes_sent_ = 0;
  std::map<std::int64_t, Plan> plans_;  // by number of leaves
  std::vector<float> staging_;          // slices received; grows to the largest step's need, then stays
  std::vector<float*> values_;          // of the parts under way
  std::unique_ptr<class Exchange> exchange_;
};

}  // namespace convoy::comm

#pragma once
// Data sets as their authors publish them, read and written as ours. Every count, size and sum that the
// formats hold is checked, and no memory is taken on a header's word. One rank; called by the `import`
// command.
//
// Errors: ConfigError where the folder or a file of it is missing, DataError naming file and cause where one
// is damaged or does not fit the others, IoError where something cannot be read or written. No output is left
// behind.

#include <string>

namespace convoy::data {

/// MNIST and what shares its format (IDX: LeCun et al., "The MNIST database of handwritten digits"): in
/// `folder` train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte, plain or .gz. Labels are 0 … 9.
void import_mnist(const std::string& folder, const std::string& out);

/// CIFAR-10, binary version: in `folder` data_batch_1.bin … data_batch_5.bin and test_batch.bin, plain or
/// .gz, each any number of records of 3,073 bytes (label, 1,024 red, green, blue), and batches.meta.txt with
/// the class names (the published ones where it is missing).
void import_cifar10(const std::string& folder, const std::string& out);

}  // namespace convoy::data

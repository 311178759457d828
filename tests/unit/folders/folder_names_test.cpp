#include "folders/folder_names.hpp"

#include <gtest/gtest.h>

namespace convoy::importers {
namespace {

using Names = std::vector<std::string>;

TEST(FolderNames, ASplitMayHaveANumber) {
  for (const char* name : {"train", "Train2017", "train_2012", "TRAINING-1", "train 1", "trn.2"})
    EXPECT_EQ(split_of_folder(name), "train") << name;
  for (const char* name : {"val2017", "valid_01", "Validation 2"})
    EXPECT_EQ(split_of_folder(name), "validation") << name;
  for (const char* name : {"test1", "test", "t10k"}) EXPECT_EQ(split_of_folder(name), "test") << name;
  for (const char* name :
       {"", "2017", "_1", "tr1", "train__1", "1train", "train2017a", "trains", "train-2017-x", "station1"})
    EXPECT_EQ(split_of_folder(name), "") << name;
}

TEST(FolderNames, AWordMayBeASplit) {
  EXPECT_EQ(split_in("images_val2017"), "validation");
  EXPECT_EQ(split_in("seg_train"), "train");
  EXPECT_EQ(split_in("Test images"), "test");
  EXPECT_EQ(split_in("trainstation"), "");
}

TEST(FolderNames, HeldOutSplitsAreKnown) {
  for (const char* name :
       {"eval", "Evaluation", "eval_set", "eval2", "holdout", "hold-out", "held_out", "Held Out Images"})
    EXPECT_TRUE(is_held_out(name)) << name;
  for (const char* name : {"medieval", "evaluator", "household", "train"})
    EXPECT_FALSE(is_held_out(name)) << name;
}

TEST(FolderNames, KindsOfFilesAreNoClasses) {
  EXPECT_EQ(names_of_kinds({"Images", "cat", "ground_truth", "masks"}),
            (Names{"Images", "ground_truth", "masks"}));
  EXPECT_EQ(names_of_kinds({"mask", "no_mask"}), Names{});
  EXPECT_EQ(names_of_kinds({"image", "mask"}), (Names{"image", "mask"}));
  EXPECT_EQ(names_of_kinds({"mask"}), Names{"mask"});
  EXPECT_EQ(names_of_kinds({"cat", "dog"}), Names{});
}

TEST(FolderNames, NotesAreNoTables) {
  EXPECT_TRUE(is_plain_table("val_annotations.txt"));
  EXPECT_TRUE(is_plain_table("A.CSV"));
  EXPECT_FALSE(is_plain_table("README.txt"));
  EXPECT_FALSE(is_plain_table("LICENSE.txt"));
  EXPECT_FALSE(is_sure_table("wnids.txt"));
  EXPECT_TRUE(is_table("labels.json"));
}

}  // namespace
}  // namespace convoy::importers

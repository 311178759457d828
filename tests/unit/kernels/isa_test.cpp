#include "convoy/kernels/isa.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "convoy/core/error.hpp"
#include "convoy/kernels/kernels.hpp"

namespace convoy::kernels {
namespace {

/// Sets CONVOY_ISA for one test, and restores the old value.
class IsaChoice : public testing::Test {
 protected:
  void SetUp() override {
    const char* value = std::getenv("CONVOY_ISA");
    had_value_ = value != nullptr;
    if (had_value_) before_ = value;
  }
  void TearDown() override {
    if (had_value_) {
      ::setenv("CONVOY_ISA", before_.c_str(), 1);
    } else {
      ::unsetenv("CONVOY_ISA");
    }
  }

 private:
  bool had_value_ = false;
  std::string before_;
};

TEST_F(IsaChoice, TakesTheHighestSupportedSetByDefault) {
  ::unsetenv("CONVOY_ISA");
  EXPECT_EQ(choose_isa(), supported_isas().back());
}

TEST_F(IsaChoice, TakesTheSetThatTheEnvironmentNames) {
  for (const Isa isa : supported_isas()) {
    ::setenv("CONVOY_ISA", std::string(to_string(isa)).c_str(), 1);
    EXPECT_EQ(choose_isa(), isa);
  }
}

TEST_F(IsaChoice, RefusesAnUnknownSetAndNamesTheKnownOnes) {
  ::setenv("CONVOY_ISA", "sse9", 1);
  try {
    (void)choose_isa();
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    const std::string message = error.what();
    for (const char* part : {"CONVOY_ISA", "sse9", "portable", "neon", "avx2", "avx512", "avx512bf16"}) {
      EXPECT_NE(message.find(part), std::string::npos) << message;
    }
  }
}

TEST(Isa, NamesReadBackAsThemselves) {
  for (const Isa isa : {Isa::kPortable, Isa::kNeon, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16})
    EXPECT_EQ(parse_isa(to_string(isa)), isa);
}

TEST(Isa, PortableIsAlwaysSupportedAndFirst) {
  EXPECT_EQ(supported_isas().front(), Isa::kPortable);
}

TEST(Isa, TablesSayWhichSetTheyAreOf) {
  for (const Isa isa : supported_isas()) EXPECT_EQ(float_kernels(isa).isa, isa);
  EXPECT_EQ(double_kernels().isa, Isa::kPortable);
}

}  // namespace
}  // namespace convoy::kernels

#include "checker/run/shard.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <map>

namespace vmcheck::run {
namespace {

using testing::HasSubstr;

TEST(Shard, IsReadAsItIsWritten) {
    EXPECT_EQ(parse_shard("2/8"), (Shard{2, 8}));
    EXPECT_EQ(parse_shard(print({8, 8})), (Shard{8, 8}));
    for (char const* text :
         {"", "2", "0/8", "9/8", "2/", "/8", "2/8/9", "-1/8", "2/8 ", "1/100001", "auto", "1/18446744073709551617"})
        EXPECT_FALSE(parse_shard(text)) << text;
}

TEST(Shard, EachPieceOfWorkIsOfOne) {
    for (std::uint64_t index = 0; index < 20; ++index) {
        int takers = 0;
        for (unsigned number = 1; number <= 3; ++number) takers += Shard{number, 3}.takes(index) ? 1 : 0;
        EXPECT_EQ(takers, 1) << index;
    }
    EXPECT_TRUE((Shard{1, 3}.takes(0)));
    EXPECT_TRUE((Shard{2, 3}.takes(4)));
}

using Environment = std::map<std::string, std::string>;
tl::expected<Shard, std::string> in(Environment const& environment) {
    return shard_of_scheduler([&](std::string const& name) {
        auto const at = environment.find(name);
        return at == environment.end() ? std::nullopt : std::optional(at->second);
    });
}

TEST(ShardOfScheduler, IsWhatEachOfThemSays) {
    EXPECT_EQ(
        in({{"SLURM_ARRAY_TASK_ID", "0"}, {"SLURM_ARRAY_TASK_MIN", "0"}, {"SLURM_ARRAY_TASK_COUNT", "4"}}).value(),
        (Shard{1, 4}));
    EXPECT_EQ(
        in({{"SLURM_ARRAY_TASK_ID", "14"}, {"SLURM_ARRAY_TASK_MIN", "11"}, {"SLURM_ARRAY_TASK_COUNT", "4"}}).value(),
        (Shard{4, 4}));
    EXPECT_EQ(in({{"JOB_COMPLETION_INDEX", "3"}, {"VMCHECK_SHARDS", "4"}}).value(), (Shard{4, 4}));
    EXPECT_EQ(in({{"PARALLEL_SEQ", "3"}, {"VMCHECK_SHARDS", "4"}}).value(), (Shard{3, 4}));
    EXPECT_EQ(in({{"VMCHECK_JOB_INDEX", "0"}, {"VMCHECK_SHARDS", "4"}}).value(), (Shard{1, 4}));
}

TEST(ShardOfScheduler, IsNeverGuessed) {
    std::string const nobody = in({{"VMCHECK_SHARDS", "4"}}).error();
    for (char const* name : {"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "PARALLEL_SEQ", "VMCHECK_JOB_INDEX"})
        EXPECT_THAT(nobody, HasSubstr(name));
    EXPECT_THAT(in({{"PARALLEL_SEQ", "3"}}).error(), HasSubstr("VMCHECK_SHARDS")) << "of how many?";
    EXPECT_THAT(in({{"PARALLEL_SEQ", "3"}, {"JOB_COMPLETION_INDEX", "2"}, {"VMCHECK_SHARDS", "4"}}).error(),
                HasSubstr("both JOB_COMPLETION_INDEX and PARALLEL_SEQ"));
    EXPECT_FALSE(in({{"PARALLEL_SEQ", "0"}, {"VMCHECK_SHARDS", "4"}})) << "it counts from 1";
    EXPECT_FALSE(in({{"JOB_COMPLETION_INDEX", "4"}, {"VMCHECK_SHARDS", "4"}}));
    EXPECT_FALSE(in({{"JOB_COMPLETION_INDEX", "one"}, {"VMCHECK_SHARDS", "4"}}));
    // --array=1,5,9: three tasks, but the last is no ninth of three.
    EXPECT_FALSE(in({{"SLURM_ARRAY_TASK_ID", "9"}, {"SLURM_ARRAY_TASK_MIN", "1"}, {"SLURM_ARRAY_TASK_COUNT", "3"}}));
}

}  // namespace
}  // namespace vmcheck::run

#include "client/doctor/findings.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/doctor/finding.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using testing::AllOf;
using testing::Each;
using testing::Field;
using testing::HasSubstr;

constexpr int64_t kGiB = int64_t{1} << 30;

// A machine that nothing is wrong with.
DoctorFacts Healthy() {
  DoctorFacts facts;
  facts.host = {.cores = 8,
                .memory_bytes = 64 * kGiB,
                .available_bytes = 60 * kGiB,
                .available_reason = "available memory",
                .cgroup_version = 2,
                .limits_known = true,
                .max_locked_bytes = 65536,
                .max_open_files = 4096,
                .numa_nodes = 1,
                .transparent_huge_pages = "madvise",
                .clock_source = "tsc"};
  facts.cpu = {.isa = "avx2",
               .products = {{"float32", "own", "no brgemm kernel"},
                            {"bfloat16", "onednn brg", ""}}};
  facts.cuda.driver = absl::NotFoundError("libcuda.so.1 can't be opened");
  facts.cuda.device = absl::UnavailableError("no driver");
  facts.links = {{.name = "host memory",
                  .to_device_bytes_per_s = 9e9,
                  .from_device_bytes_per_s = 9e9}};
  facts.disk = {.folder = "/home", .free_bytes = 100 * kGiB};
  return facts;
}

// The same with a GPU that works.
DoctorFacts WithGpu() {
  DoctorFacts facts = Healthy();
  facts.host.gpus = {{.address = "0000:41:00.0",
                      .numa_node = 1,
                      .lanes = 16,
                      .max_lanes = 16}};
  facts.host.max_locked_bytes = std::nullopt;
  facts.cuda = {.devices = 1,
                .driver_cuda_version = "13.0",
                .cublas = "libcublas.so.13",
                .device_description = "cuda:0, GPU"};
  return facts;
}

Finding Find(const DoctorFacts& facts, const std::string& check) {
  for (const Finding& finding : Diagnose(facts)) {
    if (finding.check == check) return finding;
  }
  ADD_FAILURE() << "no finding on " << check;
  return {};
}

testing::Matcher<Finding> Is(Severity severity, const std::string& what,
                             const std::string& advice) {
  return AllOf(Field("severity", &Finding::severity, severity),
               Field("what", &Finding::what, HasSubstr(what)),
               Field("advice", &Finding::advice, HasSubstr(advice)));
}

TEST(FindingsTest, NothingIsWrongWithHealthyMachines) {
  for (const DoctorFacts& facts : {Healthy(), WithGpu()}) {
    const std::vector<Finding> findings = Diagnose(facts);
    EXPECT_THAT(findings, Each(AllOf(Field(&Finding::severity, Severity::kOk),
                                     Field(&Finding::advice, ""))));
    EXPECT_EQ(Worst(findings), Severity::kOk);
  }
}

TEST(FindingsTest, SaysWhichKernelsMultiply) {
  EXPECT_THAT(Find(Healthy(), "cpu kernels"),
              Is(Severity::kOk,
                 "avx2; float32: own kernel, as oneDNN is refused (no brgemm "
                 "kernel); bfloat16: onednn brg, whose results passed",
                 ""));
  DoctorFacts facts = Healthy();
  facts.cpu.isa = "scalar";
  EXPECT_THAT(Find(facts, "cpu kernels"),
              Is(Severity::kWarning, "scalar", "AVX2"));
}

TEST(FindingsTest, ACpuQuotaBelowTheCoresWantsFewerThreads) {
  DoctorFacts facts = Healthy();
  facts.host.cgroup_cpus = 2.5;
  EXPECT_THAT(Find(facts, "cpu limit"),
              Is(Severity::kWarning, "allows 2.5 CPUs", "--threads=2"));
  facts.threads = 2;
  EXPECT_EQ(Find(facts, "cpu limit").severity, Severity::kOk);
  facts.threads = 3;
  EXPECT_EQ(Find(facts, "cpu limit").severity, Severity::kWarning);
  facts.host.cgroup_cpus = 0.5;
  EXPECT_THAT(Find(facts, "cpu limit"),
              Is(Severity::kWarning, "0.5", "--threads=1"));
  facts.host.cgroup_cpus = 8;
  EXPECT_EQ(Find(facts, "cpu limit").severity, Severity::kOk);
}

TEST(FindingsTest, LittleMemoryIsAWarning) {
  DoctorFacts facts = Healthy();
  facts.host.available_bytes = kGiB / 2;
  facts.host.available_reason = "cgroup limit of 600 MiB";
  facts.host.cgroup_memory_bytes = 600 << 20;
  EXPECT_THAT(Find(facts, "memory"),
              Is(Severity::kWarning, "cgroup v2 limit 600 MiB", "raise"));
  facts.host.available_bytes = std::nullopt;
  EXPECT_THAT(Find(facts, "memory"), Is(Severity::kWarning, "", "/proc"));
}

TEST(FindingsTest, ASmallLockLimitCountsWhereAGpuPinsMemory) {
  DoctorFacts facts = WithGpu();
  facts.host.max_locked_bytes = 65536;
  EXPECT_THAT(Find(facts, "locked memory"),
              Is(Severity::kWarning, "64.0 KiB", "ulimit -l unlimited"));
  facts.model = ModelFacts{.pins_host_memory = true, .host_bytes = 4 * kGiB};
  EXPECT_THAT(Find(facts, "locked memory"),
              Is(Severity::kWarning, "the model pins 4.00 GiB", ""));
  facts.host.max_locked_bytes = 8 * kGiB;
  EXPECT_EQ(Find(facts, "locked memory").severity, Severity::kOk);
  facts.host.limits_known = false;
  EXPECT_EQ(Find(facts, "locked memory").severity, Severity::kOk);
}

TEST(FindingsTest, FewOpenFilesAreAWarning) {
  DoctorFacts facts = Healthy();
  facts.host.max_open_files = 256;
  EXPECT_THAT(Find(facts, "open files"),
              Is(Severity::kWarning, "256", "LimitNOFILE"));
  facts.host.max_open_files = std::nullopt;
  EXPECT_EQ(Find(facts, "open files").severity, Severity::kOk);
}

TEST(FindingsTest, SeveralNodesWantAWorkerOnTheRightOne) {
  DoctorFacts facts = Healthy();
  facts.host.numa_nodes = 2;
  EXPECT_THAT(Find(facts, "numa"),
              Is(Severity::kWarning, "2 nodes", "one worker a node"));
  facts = WithGpu();
  facts.host.numa_nodes = 2;
  EXPECT_THAT(Find(facts, "numa"),
              Is(Severity::kOk, "0000:41:00.0 on node 1", ""));
  facts.host.gpus[0].numa_node = std::nullopt;
  EXPECT_THAT(Find(facts, "numa"),
              Is(Severity::kWarning, "is unknown", "numactl"));
  facts.host.numa_nodes = 0;
  EXPECT_EQ(Find(facts, "numa").severity, Severity::kOk);
}

TEST(FindingsTest, HugePagesAreForTheWorkerNotReserved) {
  DoctorFacts facts = Healthy();
  facts.host.transparent_huge_pages = "never";
  EXPECT_THAT(Find(facts, "transparent huge pages"),
              Is(Severity::kWarning, "never", "echo madvise"));
  facts.host.reserved_huge_bytes = 9 * kGiB;
  EXPECT_THAT(Find(facts, "reserved huge pages"),
              Is(Severity::kWarning, "9.00 GiB", "vm.nr_hugepages"));
}

TEST(FindingsTest, ASlowClockIsAWarning) {
  DoctorFacts facts = Healthy();
  for (const char* fine : {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page",
                           "arch_sys_counter", ""}) {
    facts.host.clock_source = fine;
    EXPECT_EQ(Find(facts, "clock").severity, Severity::kOk) << fine;
  }
  facts.host.clock_source = "hpet";
  EXPECT_THAT(Find(facts, "clock"),
              Is(Severity::kWarning, "hpet", "clocksource=tsc"));
}

TEST(FindingsTest, AGpuThatCannotBeUsedIsAProblem) {
  DoctorFacts facts = WithGpu();
  facts.cuda = {.driver = absl::NotFoundError("libcuda.so.1 can't be opened"),
                .device = absl::FailedPreconditionError("built without CUDA")};
  EXPECT_THAT(Find(facts, "cuda driver"),
              Is(Severity::kProblem, "GPU 0000:41:00.0 is on the PCI bus",
                 "install NVIDIA's driver"));
  EXPECT_THAT(Find(facts, "cublas"),
              Is(Severity::kProblem, "no libcublas", "LD_LIBRARY_PATH"));
  EXPECT_THAT(Find(facts, "cuda device"),
              Is(Severity::kProblem, "built without CUDA", "CUDA_HOME"));
  facts.cuda.driver = absl::UnavailableError("the driver says: no permission");
  EXPECT_THAT(Find(facts, "cuda driver"),
              Is(Severity::kProblem, "no permission", "device files"));
  EXPECT_EQ(Worst(Diagnose(facts)), Severity::kProblem);
}

TEST(FindingsTest, NoGpuIsAProblemOnlyWhereOneIsAskedFor) {
  DoctorFacts facts = Healthy();
  facts.device = "cuda:0";
  EXPECT_THAT(Find(facts, "cuda driver"),
              Is(Severity::kProblem, "no NVIDIA GPU", "driver"));
  facts.device = "cpu";
  EXPECT_THAT(Find(facts, "cuda driver"),
              Is(Severity::kOk, "no NVIDIA GPU", ""));
}

TEST(FindingsTest, FewerLanesThanTheGpuHasAreAWarning) {
  DoctorFacts facts = WithGpu();
  facts.host.gpus[0].lanes = 4;
  EXPECT_THAT(Find(facts, "gpu lanes"),
              Is(Severity::kWarning, "4 of 16", "slot"));
}

TEST(FindingsTest, ALinkMayBeSlowOrDamaged) {
  DoctorFacts facts = Healthy();
  facts.links[0].to_device_bytes_per_s = 1e9;
  EXPECT_THAT(Find(facts, "link"),
              Is(Severity::kWarning, "host memory: 1 GB/s", "NUMA"));
  facts.links[0].status = absl::DataLossError("differs");
  EXPECT_THAT(Find(facts, "link"),
              Is(Severity::kProblem, "differs", "do not use"));
  facts.links[0].status = absl::ResourceExhaustedError("no room");
  EXPECT_THAT(Find(facts, "link"), Is(Severity::kProblem, "no room", "free"));
}

TEST(FindingsTest, DisksAreFullOrElsewhere) {
  DoctorFacts facts = Healthy();
  facts.disk.free_bytes = kGiB / 2;
  EXPECT_THAT(Find(facts, "disk"), Is(Severity::kWarning, "512 MiB", "free"));
  facts.disk.free_bytes = 1 << 20;
  EXPECT_EQ(Find(facts, "disk").severity, Severity::kProblem);
  facts.disk.status = absl::NotFoundError("No such file or directory");
  EXPECT_THAT(Find(facts, "disk"),
              Is(Severity::kProblem, "/home: No such", "--output_file"));
}

TEST(FindingsTest, AModelFitsOrSaysWhatWould) {
  DoctorFacts facts = Healthy();
  facts.model = ModelFacts{.folder = "/m",
                           .name = "m",
                           .dtype = "float32",
                           .device = "cpu",
                           .host_bytes = 3 * kGiB,
                           .device_bytes = kGiB,
                           .cache_tokens = 4096};
  EXPECT_THAT(
      Find(facts, "model"),
      Is(Severity::kOk, "m fits: 3.00 GiB of host memory, 1.00 GiB on", ""));
  facts.model->status =
      absl::ResourceExhaustedError("device_memory: at least 5 GiB");
  EXPECT_THAT(Find(facts, "model"),
              Is(Severity::kProblem, "/m: device_memory", "--max_running"));
  facts.model->status = absl::NotFoundError("/m/config.json: is missing");
  EXPECT_THAT(Find(facts, "model"),
              Is(Severity::kProblem, "config.json", "mend"));
}

TEST(FindingsTest, AServerIsServingOrSaysWhatIsInTheWay) {
  DoctorFacts facts = Healthy();
  facts.server = ServerFacts{.address = "h:1", .serving = true};
  EXPECT_THAT(Find(facts, "server"), Is(Severity::kOk, "h:1 is serving", ""));
  facts.server->serving = false;
  EXPECT_THAT(Find(facts, "server"),
              Is(Severity::kProblem, "not serving", "--scheduler=h:1"));
  struct Case {
    absl::Status status;
    const char* advice;
  };
  for (const Case& wrong : std::vector<Case>{
           {absl::UnavailableError("refused"), "firewall"},
           {absl::DeadlineExceededError("late"), "firewall"},
           {absl::UnauthenticatedError("no key"), "--api_key_file"},
           {absl::PermissionDeniedError("no role"), "roles"},
           {absl::UnimplementedError("no health"), "another program"},
           {absl::InvalidArgumentError("--tls_ca: x"), "flag"}}) {
    facts.server->status = wrong.status;
    EXPECT_THAT(Find(facts, "server"),
                Is(Severity::kProblem, std::string(wrong.status.message()),
                   wrong.advice));
  }
}

}  // namespace
}  // namespace hybridserve

#ifndef HYBRIDSERVE_KERNELS_TESTING_TOLERANCE_H_
#define HYBRIDSERVE_KERNELS_TESTING_TOLERANCE_H_

#include <cstdint>
#include <map>
#include <string>

#include "common/dtype.h"
#include "kernels/matrix.h"

namespace hybridserve {

// Half the distance from 1 to the next number: a rounding's relative error.
double UnitRoundoff(DType dtype);

// How far a backend's result may be from the definition: a float32 sum of
// `length` products whose magnitudes add up to `magnitude` loses at most
// length * u * magnitude (Higham 2002, eq. 3.5), and one rounding to the
// output's dtype u(output) of the result. Twice that, for what surrounds it.
double SumTolerance(int64_t length, double magnitude, DType output);

// Fails the test where |got - want| exceeds `tolerance` (or either is NaN);
// names `what` and the worst element.
void ExpectNear(const char* what, const Matrix& got, const Matrix& want,
                double tolerance);

void ExpectNear(const char* what, double got, double want, double tolerance);

// The largest share of its tolerance that each test of this process has used in
// ExpectNear(), by the test's name.
std::map<std::string, double> WorstErrors();

// The largest absolute value, 0 if empty.
double MaxAbs(const Matrix& matrix);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_TESTING_TOLERANCE_H_

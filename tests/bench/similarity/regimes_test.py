"""What similarity scaling must keep, whatever the machine."""

import unittest

from tests.bench.similarity import regimes


class RegimesTest(unittest.TestCase):
    def test_the_paper_on_itself_is_itself(self):
        for regime in regimes.REGIMES:
            stand = regimes.scale(regime, regime.hidden, 150e12, 2)
            self.assertAlmostEqual(stand.beta, regimes.PAPER_BETA)
            self.assertAlmostEqual(stand.link_bytes_per_s / 24e9, 1)
            self.assertEqual(stand.batch, regimes.PAPER_BATCH)
            self.assertEqual(stand.pool_tokens, regimes.PAPER_POOL_TOKENS)

    def test_the_ratios_are_kept(self):
        expected = [0.655, 0.819, 1.147, 1.475]
        for regime, ratio in zip(regimes.REGIMES, expected):
            self.assertAlmostEqual(regime.hidden_over_beta, ratio, places=3)
            for hidden in (512, 768):
                stand = regimes.scale(regime, hidden, 60e9, 4)
                self.assertAlmostEqual(hidden / stand.beta, ratio, places=3)
                self.assertAlmostEqual(
                    stand.batch / stand.beta,
                    regimes.PAPER_BATCH / regimes.PAPER_BETA,
                    delta=0.5 / stand.beta,
                )

    def test_times_of_a_layer_keep_their_proportions(self):
        def times(hidden, flops, link, element, batch, context):
            weights = 12 * hidden * hidden * element / link
            cache = batch * context * 2 * hidden * element / link
            rebuild = batch * context * 4 * hidden * hidden / flops
            return cache / weights, rebuild / weights

        for regime in regimes.REGIMES:
            paper = times(regime.hidden, 150e12, 24e9, 2, 128, 1024)
            stand = regimes.scale(regime, 768, 55e9, 4)
            batch = 128 * stand.beta / regimes.PAPER_BETA  # Not rounded.
            here = times(768, 55e9, stand.link_bytes_per_s, 4, batch, 1024)
            for a, b in zip(paper, here):
                self.assertAlmostEqual(a, b, places=6)

    def test_elements_of_four_bytes_need_twice_the_link(self):
        regime = regimes.REGIMES[0]
        two = regimes.scale(regime, 768, 60e9, 2)
        four = regimes.scale(regime, 768, 60e9, 4)
        self.assertAlmostEqual(
            four.link_bytes_per_s, 2 * two.link_bytes_per_s
        )
        self.assertEqual(
            regimes.pool_bytes(four, 4, 4), 2 * regimes.pool_bytes(two, 4, 2)
        )


if __name__ == "__main__":
    unittest.main()

"""Partial information decomposition of predictive distributions, in bits and with a certificate.

Numpy and scipy, and torch for the trained estimators; nothing here reads, writes, prints or logs.

>>> from pid_core import Channels, estimate
>>> copy = [[1.0, 0.0], [0.0, 1.0]]
>>> round(estimate(Channels(full=copy, only_1=copy, only_2=copy)).redundancy, 6)
1.0
"""

from pid_core.channels import Channels
from pid_core.conditional import estimate_conditional
from pid_core.draws import estimate_over_draws
from pid_core.errors import ChannelError, MarginError, NotConverged, PidError, UnknownName
from pid_core.fusion import FusionScores, fusion_scores
from pid_core.interval import Uncertainty
from pid_core.joint import decompose_joint
from pid_core.margins import Marginals
from pid_core.null import NullSpectrum, noise_null, null_spectrum
from pid_core.paired import PairedDifference, paired_spectra
from pid_core.pointwise import Pointwise
from pid_core.power import SampleSize, samples_needed
from pid_core.predictive import Predictive, RawScores, predictive
from pid_core.quality import AnswerQuality, answer_quality
from pid_core.registry import ESTIMATORS, estimate
from pid_core.resampling import Resampled, bootstrap, resample_batches
from pid_core.spectrum import ATOMS, Diagnostics, Spectrum
from pid_core.uncertainty import with_uncertainty

__all__ = [
    "ATOMS",
    "ESTIMATORS",
    "AnswerQuality",
    "ChannelError",
    "Channels",
    "Diagnostics",
    "FusionScores",
    "MarginError",
    "Marginals",
    "NotConverged",
    "NullSpectrum",
    "PairedDifference",
    "PidError",
    "Pointwise",
    "Predictive",
    "RawScores",
    "Resampled",
    "SampleSize",
    "Spectrum",
    "Uncertainty",
    "UnknownName",
    "answer_quality",
    "bootstrap",
    "decompose_joint",
    "estimate",
    "estimate_conditional",
    "estimate_over_draws",
    "fusion_scores",
    "noise_null",
    "null_spectrum",
    "paired_spectra",
    "predictive",
    "resample_batches",
    "samples_needed",
    "with_uncertainty",
]

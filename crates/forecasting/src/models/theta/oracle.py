#!/usr/bin/env python3
"""Numbers for oracle.rs, by another route: statsforecast's theta models with known parameters.

Run `python3 oracle.py` (numpy, statsforecast) and paste what it prints.
"""
import numpy as np
from statsforecast.theta import forecast_theta, thetamodel

i = np.arange(60)
y = 10 + 0.3 * i + (i * 37 % 11)
for alpha, theta in ((0.03, 2.0), (0.3, 2.0), (0.1, 10.0)):
    model = thetamodel(y, 1, "OTM", initial_smoothed=float(y[0]), alpha=alpha, theta=theta, nmse=3)
    assert (model["par"]["alpha"], model["par"]["theta"]) == (alpha, theta)
    mean = forecast_theta(model, 30)["mean"]
    print(alpha, theta, [float(mean[h - 1]) for h in (1, 2, 12, 30)])

import '@mantine/charts/styles.css';
import { BarChart } from '@mantine/charts';

export interface DaySeries {
  id: string;
  label: string;
  color: string;
  /** Counts by day, such as `2026-01-31`. */
  counts: Map<string, number>;
}

interface Props {
  label: string;
  /** In order. */
  days: string[];
  series: DaySeries[];
}

const SHORT = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** Counts by UTC day, stacked. What the bars show stands in a table too, for those who do not see them. */
export default function DayChart({ label, days, series }: Props) {
  const data = days.map((day) => ({
    day: SHORT.format(new Date(`${day}T00:00:00Z`)),
    ...Object.fromEntries(series.map(({ id, counts }) => [id, counts.get(day) ?? 0])),
  }));
  return (
    <figure aria-label={label} style={{ margin: 0 }}>
      <div aria-hidden="true">
        <BarChart
          h={220}
          data={data}
          dataKey="day"
          type="stacked"
          series={series.map(({ id, label, color }) => ({ name: id, label, color }))}
          withLegend
          legendProps={{ verticalAlign: 'bottom', height: 32 }}
          gridAxis="x"
          tickLine="none"
          maxBarWidth={26}
          barChartProps={{ accessibilityLayer: false }}
          barProps={{ isAnimationActive: false }}
          yAxisProps={{ allowDecimals: false, width: 44 }}
          xAxisProps={{ interval: 'preserveStartEnd', minTickGap: 24 }}
        />
      </div>
      <table className="for-screen-readers">
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">Day (UTC)</th>
            {series.map(({ id, label }) => (
              <th key={id} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days.map((day) => (
            <tr key={day}>
              <th scope="row">{day}</th>
              {series.map(({ id, counts }) => (
                <td key={id}>{counts.get(day) ?? 0}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
